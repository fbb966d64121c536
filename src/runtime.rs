//! What std would bring: an allocator, and what becomes of a panic.

use core::arch::wasm32;
use core::panic::PanicInfo;

#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Traps, as std does here once it has put a message together that nobody sees.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
