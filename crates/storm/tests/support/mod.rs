//! The engine over real HTTP, against an emulator of this process.

mod driver;
mod lab;

pub(crate) use lab::Lab;
