//! Rule 6: the query.

use crate::harness::*;

#[test]
fn part_numbers_are_0_to_10000_spelled_one_way() {
    for number in ["0", "1", "9999", "10000"] {
        let path = format!("{SESSIONS}/{}", signed("s1", None, &alice()));
        let sent = part(&path, &format!("part_number={number}")).sent();
        assert_eq!(sent.url, format!("https://api.example{SESSIONS}/s1?part_number={number}"));
    }
    let bad = [
        "",
        "-1",
        "-0",
        "+1",
        "1.5",
        "1.0",
        "1e9",
        "1e1",
        "NaN",
        "Infinity",
        "null",
        "0x10",
        "00",
        "01",
        "10001",
        "99999",
        "1000000000",
        "99999999999999999999",
        "1%2C2",
        "%31%00",
        " 1",
        "1+",
        "%EF%BC%91",
        "१",
    ];
    for number in bad {
        assert_eq!(part(&session_path(), &format!("part_number={number}")).refused(), 400, "{number}");
    }
    for query in
        ["", "part_number", "part_number=1&part_number=1", "part_number[]=1", "Part_number=1", "part%5Fnumber=1"]
    {
        assert_eq!(part(&session_path(), query).refused(), 400, "{query}");
    }
}

#[test]
fn raw_can_only_be_false_and_stays_here() {
    let path = session_path();
    assert_eq!(call("GET", &format!("{path}?raw=false")).sent().url, format!("https://api.example{SESSIONS}/s1"));
    assert_eq!(
        part(&path, "raw=false&part_number=2").sent().url,
        format!("https://api.example{SESSIONS}/s1?part_number=2")
    );
    for query in
        ["raw=true", "raw", "raw=", "raw=TRUE", "raw=1", "raw=false&raw=false", "raw=false&raw=true", "raw=%74rue"]
    {
        assert_eq!(call("GET", &format!("{path}?{query}")).refused(), 400, "{query}");
        assert_eq!(call("DELETE", &format!("{path}?{query}")).refused(), 400, "{query}");
        assert_eq!(call("POST", &format!("{path}/finish?{query}")).refused(), 400, "{query}");
        assert_eq!(call("POST", &format!("{SESSIONS}?{query}")).refused(), 400, "{query}");
        assert_eq!(call("POST", &format!("{FILES}?{query}")).refused(), 400, "{query}");
        assert_eq!(part(&path, &format!("part_number=0&{query}")).refused(), 400, "{query}");
    }
}

#[test]
fn fields_are_a_selection_of_get() {
    let path = session_path();
    for query in ["fields=id,part_size", "fields=id%2Cpart_size"] {
        let url = call("GET", &format!("{path}?{query}")).sent().url;
        assert_eq!(url, format!("https://api.example{SESSIONS}/s1?fields=id%2Cpart_size"));
    }
    let long = format!("fields={}", "x".repeat(257));
    for query in
        ["fields=", "fields=a%26raw=true", "fields=a b", "fields=*", "fields=a&fields=b", "fields=%252C", &long]
    {
        assert_eq!(call("GET", &format!("{path}?{query}")).refused(), 400, "{query}");
    }
    assert_eq!(call("DELETE", &format!("{path}?fields=id")).refused(), 400);
}

#[test]
fn anything_else_in_a_query_is_400() {
    let path = session_path();
    for query in ["_method=DELETE", "part_number=0", "&", "raw=false&", "=", "a", "__proto__=1", "%00=1", "raw;x=1"] {
        assert_eq!(call("GET", &format!("{path}?{query}")).refused(), 400, "{query}");
    }
    assert_eq!(call("GET", &format!("{path}?")).sent().url, format!("https://api.example{SESSIONS}/s1"));
}
