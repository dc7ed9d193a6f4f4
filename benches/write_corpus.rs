//! Writes the seeded corpus to a folder, to time whole commands on: `cargo bench --bench write_corpus -- DIR FILES`.

#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

mod corpus;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo adds `--bench` to the arguments.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [folder, files] = &arguments[..] else {
        return Err("usage: cargo bench --bench write_corpus -- DIR FILES".into());
    };
    let facts = corpus::write_corpus(1, files.parse()?, std::path::Path::new(folder))?;
    println!("{} words in {} sentences", facts.words, facts.sentences);
    Ok(())
}
