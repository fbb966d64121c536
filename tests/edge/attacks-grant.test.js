// More than the grant allows: folders, drives, sizes, and part numbers and lengths beyond what was declared.

import { attacks, reached } from "./attacks.js";
import { FILES, SESSIONS } from "./stage.js";

const MAX_PART = 65_536;
const settings = {
  maxPartSize: MAX_PART,
  grants: {
    alice: { consumerId: "alice" },
    folders: { consumerId: "folders", parentFolderIds: ["inbox", "drafts"] },
    drive: { consumerId: "drive", driveId: "mine" },
    small: { consumerId: "small", maxFileSize: 1000 },
  },
};

const file = (more) => ({ name: "a.bin", parent_folder_id: "inbox", size: 1000, ...more });
const create = (login, fields) => (proxy) =>
  reached(proxy, () =>
    proxy.fetch(SESSIONS, {
      login,
      method: "POST",
      body: typeof fields === "string" ? fields : JSON.stringify(fields),
    }),
  );
const direct =
  (login, { size, ...fields }, body = "content") =>
  (proxy) =>
    reached(proxy, () =>
      proxy.fetch(FILES, { login, method: "POST", headers: { "x-apideck-metadata": JSON.stringify(fields) }, body }),
    );

attacks("grants", settings, (attack) => {
  for (const [how, make] of [
    ["create", create],
    ["direct upload", direct],
  ]) {
    const honest = { honest: make("folders", file()) };
    attack(`a folder outside the grant: ${how}`, make("folders", file({ parent_folder_id: "elsewhere" })), honest);
    attack(
      `a folder inside a granted one: ${how}`,
      make("folders", file({ parent_folder_id: "inbox/../elsewhere" })),
      honest,
    );
    attack(`a folder of another spelling: ${how}`, make("folders", file({ parent_folder_id: "inbox " })), honest);
    attack(`no folder: ${how}`, make("folders", file({ parent_folder_id: undefined })), honest);
    attack(`a list of folders: ${how}`, make("folders", file({ parent_folder_id: ["inbox", "elsewhere"] })), honest);
    attack(`a drive where only folders are granted: ${how}`, make("folders", file({ drive_id: "yours" })), honest);
    attack(`a drive outside the grant: ${how}`, make("drive", file({ drive_id: "yours" })), {
      honest: make("drive", file({ drive_id: "mine" })),
    });
    attack(`a field that there is not: ${how}`, make("alice", file({ parentFolderId: "elsewhere" })), {
      honest: make("alice", file()),
    });
  }

  // What counts is what upstream is told: a request that is put right may pass.
  const elsewhere = (act) => async (proxy) => {
    const requests = await proxy.reached(act);
    return requests.map(({ head, body }) => head + body).filter((text) => text.includes("elsewhere"));
  };
  const twice = '{"name":"a.bin","parent_folder_id":"inbox","size":1000,"parent_folder_id":"elsewhere"}';
  const twiceBefore = '{"parent_folder_id":"elsewhere","name":"a.bin","parent_folder_id":"inbox","size":1000}';
  for (const [what, text] of [
    ["last", twice],
    ["first", twiceBefore],
  ]) {
    const post = { login: "folders", method: "POST" };
    attack(
      `a folder twice, the one outside the grant ${what}: create`,
      elsewhere((proxy) => proxy.fetch(SESSIONS, { ...post, body: text })),
    );
    const metadata = {
      headers: { "x-apideck-metadata": text.replace('"size":1000,', "").replace(',"size":1000', "") },
    };
    attack(
      `a folder twice, the one outside the grant ${what}: direct upload`,
      elsewhere((proxy) => proxy.fetch(FILES, { ...post, ...metadata, body: "a" })),
    );
  }
  attack(
    "a direct upload's folder in the query",
    elsewhere((proxy) =>
      direct(
        "folders",
        file(),
      )({
        ...proxy,
        reached: proxy.reached.bind(proxy),
        fetch: (path, init) => proxy.fetch(`${path}?parent_folder_id=elsewhere`, init),
      }),
    ),
  );

  for (const login of ["folders", "drive", "small"]) {
    const passThrough = [{ service_id: "google-drive", extend_object: { parent_folder_id: "elsewhere" } }];
    attack(`pass_through with a grant of ${login}`, create(login, file({ pass_through: passThrough })), {
      honest: create("alice", file({ pass_through: passThrough })),
    });
  }

  const small = { honest: create("small", file({ size: 1000 })) };
  attack("a size outside the grant: create", create("small", file({ size: 1001 })), small);
  attack("a size that is not told: create", create("small", file({ size: null })), small);
  attack("a size that is left out: create", create("small", file({ size: undefined })), small);
  for (const size of ["-1", "1.5", "1e99", '"1"', "true", "[1]", "18446744073709551616"]) {
    attack(
      `a size of ${size}: create`,
      create("small", `{"name":"a.bin","parent_folder_id":"inbox","size":${size}}`),
      small,
    );
  }
  attack("a size outside the grant: direct upload", direct("small", file(), "x".repeat(1001)), {
    honest: direct("small", file(), "x".repeat(1000)),
  });
});

attacks("parts", settings, (attack) => {
  const upload = (number, bytes, session) => async (proxy) => {
    const { token } = await proxy.session(session);
    const init = { method: "PUT", body: Buffer.alloc(bytes) };
    return reached(proxy, () => proxy.fetch(`${SESSIONS}/${token}?part_number=${number}`, init));
  };
  attack("a part above the limit", upload(0, MAX_PART + 1, { size: 1_000_000 }), {
    honest: upload(0, MAX_PART, { size: 1_000_000 }),
  });
  attack("a direct upload above the limit", direct("alice", file(), "x".repeat(MAX_PART + 1)), {
    honest: direct("alice", file(), "x".repeat(MAX_PART)),
  });
  attack("a part longer than the declared size", upload(0, 1001), { honest: upload(0, 1000) });
  attack("a part past the declared size", upload(1, 501), { honest: upload(1, 500) });
  attack("a part far past the declared size", upload(9_999, 1));
  attack("a part with bytes of a file that has none", upload(0, 1, { size: 0 }), { honest: upload(0, 0, { size: 0 }) });

  const query = (search) => async (proxy) => {
    const { token } = await proxy.session();
    return reached(proxy, () => proxy.fetch(`${SESSIONS}/${token}${search}`, { method: "PUT", body: "a" }));
  };
  const honest = { honest: query("?part_number=0") };
  const numbers = [
    "-1",
    "1.5",
    "1e9",
    "NaN",
    "",
    "-0",
    "+1",
    "01",
    "0x1",
    "1e1",
    "Infinity",
    "10001",
    "4294967296",
    "18446744073709551616",
    "0%00",
    " 0",
    "٣",
  ];
  for (const number of numbers)
    attack(`a part_number of ${JSON.stringify(number)}`, query(`?part_number=${number}`), honest);
  attack("part_number twice", query("?part_number=0&part_number=1"), honest);
  attack("part_number as a list", query("?part_number[]=0"), honest);
  attack("part_number without a value", query("?part_number"), honest);
  attack("no part_number", query(""), honest);
  attack("part_number in another case", query("?PART_NUMBER=0"), honest);
  attack("a parameter that there is not", query("?part_number=0&upload_url=http://elsewhere.test"), honest);
  attack("a raw answer", query("?part_number=0&raw=true"), { honest: query("?part_number=0&raw=false") });
  attack("fields where there are none", query("?part_number=0&fields=id"), honest);
});
