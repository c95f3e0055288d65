//! Behaviour of the crate and its binary, one module an area. One binary, since linking is what
//! tests mostly wait for.

mod archive;
mod browser;
mod cli;
#[cfg(feature = "neural")]
mod closed_loop;
mod crops;
mod explain;
mod export;
#[cfg(feature = "neural")]
mod grade;
#[cfg(feature = "neural")]
mod grader;
mod imaging;
mod link;
mod measures;
mod metrics;
mod naming;
mod odd_images;
mod page;
mod perturbed;
mod phantoms;
mod report;
#[cfg(feature = "neural")]
mod rsna2024;
mod scanner;
#[cfg(feature = "neural")]
mod segment;
#[cfg(feature = "neural")]
mod segmenter;
mod simulate;
mod told;
#[cfg(feature = "neural")]
mod train;
mod web;
