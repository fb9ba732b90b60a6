//! Goes on from the text on the command line with a language model that is part of the executable.

mod options;

use std::error::Error;
use std::io::{Write, stdout};

use options::Options;

qnn::include_models!();

fn main() -> Result<(), Box<dyn Error>> {
    let Options { text, sampling } = options::parse(std::env::args().skip(1))?;

    let backend = qnn::Backend::htp()?;
    let llm = tinylm::Model::load(&backend)?;
    let mut session = llm.session();

    print!("{text}");
    for piece in session.complete(&text, &sampling) {
        print!("{}", piece?.text);
        stdout().flush()?;
    }
    println!();

    let finish = session.finish().map(ToString::to_string).unwrap_or_default();
    eprintln!("[{}; ended by: {finish}]", session.statistics());
    Ok(())
}
