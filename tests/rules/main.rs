//! What has to hold in every build, with networks or without: how the rules read, and how the code is
//! laid out. A binary of its own, so that the build without networks has little to compile.

mod cases;
mod extract;
mod tidy;
