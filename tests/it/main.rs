//! Behaviour of the crate and its binary, one module an area. One binary, so that everything
//! links once.

mod cli;
mod export;
mod metrics;
