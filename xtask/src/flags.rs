//! The command line.
#![allow(missing_docs, unreachable_pub, reason = "generated")]

xflags::xflags! {
    /// Every command that a developer of upload-session needs.
    ///
    /// Each installs what it needs and lacks; a second run is quick.
    cmd xtask {
        /// Installs everything that any of the commands needs.
        cmd setup {}

        /// Builds the npm package's module into pkg/dist.
        cmd build {}

        /// Builds the module and the emulator, and serves the demo page.
        cmd demo {
            /// Port to listen on, 8787 unless given; a free one where it is taken.
            optional --port port: u16
            /// Bytes a second that all uploads together are held to; no limit unless given.
            optional --rate bytes: u64
            /// Serves the page from the upload edge, in workerd, with a login: the browser holds no key.
            optional --edge
        }

        /// Runs every test; or, with names or their beginnings, some suites.
        cmd test {
            /// Suites to run: fmt clippy rustdoc engine module policy emulator storm xtask
            /// build size browser-chromium browser-firefox types docs package contract bench edge e2e.
            repeated suites: String
        }

        /// Builds the module and prints how many bytes a page loads.
        cmd size {}

        /// Makes the API reference of the npm package from its types, into docs/api.
        cmd docs {}
        /// Measures the package beside its peers, in real browsers, and writes bench/RESULTS.md.
        cmd bench {
            /// Groups to measure, all unless given: unpaced paced distant memory tasks parts
            /// events hashing size.
            repeated groups: String
            /// Rounds by turns, 5 unless given.
            optional --rounds rounds: u32
            /// Size of the file in MiB, the group's own unless given.
            optional --size-mib mib: u32
            /// Contestants to measure, by commas, all of the group unless given; RESULTS.md stays as it is then.
            optional --only names: String
            /// Browser, chromium or firefox, those of the group unless given; RESULTS.md stays as it is then.
            optional --browser browser: String
            /// Prints, and leaves RESULTS.md as it is.
            optional --print
            /// Takes the module as pkg/ has it, without building it.
            optional --no-build
        }
    }
}
