//! `vocab`: hotword lists.

mod words;

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::connection::Connection;
use super::outcomes::ItemOutcomes;
use super::output::{Console, Failure, Format, Listing};
use super::{Exit, advice, block_on};
use crate::catalog::Catalog;
use crate::client::{
    Client, Hotword, ListedVocabulary, Recognition, Vocabularies, VocabularyId, VocabularyStatus, Warning,
    check_vocabulary,
};
use crate::error::{Error, ErrorKind, Result};
use crate::report::number::counted;

const FORMS: &str = "\
FILE has the words in one of these forms:
  plain lines: a word or phrase, optionally followed by a tab and its weight (default 4), and a tab and its
    language; blank lines and lines with # are skipped
  CSV with a header line: text, optionally weight and lang (what `vocab show --format csv` prints)
  JSON: an array of {\"text\": …, \"weight\": …, \"lang\": …}, or what `vocab show --format json` prints
A weight is 1 to 5; Qwen-Audio-3.x models take up to 50 words of weight 50.";

/// Arguments of `vocab`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Create a list for one model and print its id
    Create(Create),
    /// List the account's lists
    List {
        /// Only lists with this prefix
        #[arg(long, value_name = "P")]
        prefix: Option<String>,
    },
    /// Show the words of a list
    Show {
        /// The list
        #[arg(value_name = "ID", value_parser = vocabulary_id)]
        id: VocabularyId,
    },
    /// Replace all words of a list
    Update(Update),
    /// Delete lists permanently
    Delete {
        /// The lists
        #[arg(value_name = "ID", required = true, value_parser = vocabulary_id)]
        ids: Vec<VocabularyId>,
    },
}

#[derive(Debug, clap::Args)]
#[command(after_help = FORMS)]
struct Create {
    /// Model it is for, by exactly the name used for transcription
    #[arg(long, value_name = "NAME")]
    model: String,
    /// Start of its id, after `vocab-`: up to 10 digits and letters a to z
    #[arg(long, value_name = "P")]
    prefix: String,
    /// The words; `-` for stdin
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// Skip the checks against the catalogue
    #[arg(long)]
    no_check: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = FORMS)]
struct Update {
    /// The list
    #[arg(value_name = "ID", value_parser = vocabulary_id)]
    id: VocabularyId,
    /// The words; `-` for stdin
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// Skip the checks against the catalogue
    #[arg(long)]
    no_check: bool,
}

fn vocabulary_id(text: &str) -> Result<VocabularyId> {
    VocabularyId::new(text)
}

/// Runs `vocab`.
pub(super) fn run(args: &Args, connection: &Connection, format: Format, console: &Console) -> Result<Exit, Failure> {
    let client = || connection.client(console);
    match &args.verb {
        Verb::Create(args) => create(args, connection, format, console),
        Verb::List { prefix } => list(&client()?, prefix.as_deref(), format, console),
        Verb::Show { id } => show(&client()?, id, format, console),
        Verb::Update(args) => update(args, &client()?, console),
        Verb::Delete { ids } => delete(&client()?, ids, console),
    }
}

fn create(args: &Create, connection: &Connection, format: Format, console: &Console) -> Result<Exit, Failure> {
    let Create { model, prefix, .. } = args;
    let words = words::read(&args.file, console)?;
    let region = connection.region()?;
    if !args.no_check {
        let warnings = check_vocabulary(Catalog::builtin(), region, model, Some(prefix), &words)?;
        warn(&warnings, console);
    }
    let client = connection.client(console)?;
    let id = block_on(async { Ok(client.vocabularies().create(model, prefix, &words).await?) })?;
    let row = [("vocabulary_id", json!(id.as_str())), ("target_model", json!(model)), ("words", json!(words.len()))];
    let exit = match format {
        // Alone on its line, so that a shell can take it.
        Format::Table => console.data(format!("{id}\n").as_bytes())?,
        _ => {
            let (head, cells) = row.into_iter().unzip();
            Listing { head, rows: vec![cells] }.print(format, console)?
        }
    };
    let words = counted(words.len() as u64, "word");
    console.note(&format!(
        "{words}; the list works with {model} in the primary workspace only, elsewhere it has no effect, without an error: \
         talkmeter transcribe --model {model} --vocabulary {id}"
    ));
    Ok(exit)
}

fn list(client: &Client, prefix: Option<&str>, format: Format, console: &Console) -> Result<Exit, Failure> {
    let lists = block_on(async { Ok(collect(client, prefix).await?) })?;
    let row = |list: &ListedVocabulary| {
        vec![json!(list.id.as_str()), json!(list.status.to_string()), json!(list.created), json!(list.modified)]
    };
    let rows: Vec<Vec<Value>> = lists.iter().map(row).collect();
    if rows.is_empty() {
        console.note("no hotword list");
    }
    Listing { head: vec!["vocabulary_id", "status", "created", "modified"], rows }.print(format, console)
}

/// Reads pages until one is not full, or has nothing new.
async fn collect(client: &Client, prefix: Option<&str>) -> Result<Vec<ListedVocabulary>> {
    let (mut lists, mut seen) = (Vec::new(), HashSet::new());
    for page in 0.. {
        let found = client.vocabularies().list(prefix, page).await?.vocabularies;
        let (full, before) = (found.len() >= Vocabularies::PAGE, lists.len());
        lists.extend(found.into_iter().filter(|list| seen.insert(list.id.clone())));
        if !full || lists.len() == before {
            break;
        }
    }
    Ok(lists)
}

fn show(client: &Client, id: &VocabularyId, format: Format, console: &Console) -> Result<Exit, Failure> {
    let list = block_on(async { Ok(client.vocabularies().show(id).await?) })?;
    let exit = if format == Format::Json {
        let text = serde_json::to_string_pretty(&list.raw).unwrap_or_default();
        console.data(format!("{text}\n").as_bytes())?
    } else {
        let row = |Hotword { text, weight, lang, .. }: &Hotword| vec![json!(text), json!(weight), json!(lang)];
        let rows = list.words.iter().map(row).collect();
        Listing { head: vec!["text", "weight", "lang"], rows }.print(format, console)?
    };
    let model = list.target_model.as_deref().unwrap_or("an unknown model");
    let modified = list.modified.map(|at| format!(", modified {at}")).unwrap_or_default();
    let words = counted(list.words.len() as u64, "word");
    console.note(&format!("{id}: {words} for {model}, {}{modified}", list.status));
    Ok(exit)
}

fn update(args: &Update, client: &Client, console: &Console) -> Result<Exit, Failure> {
    let words = words::read(&args.file, console)?;
    let id = &args.id;
    block_on(async {
        if !args.no_check {
            // The list says which model's rules apply.
            match client.vocabularies().show(id).await?.target_model {
                Some(model) => {
                    warn(&check_vocabulary(Catalog::builtin(), client.region(), &model, None, &words)?, console);
                }
                None => {
                    console.note("warning: the service does not name the model of the list, so nothing was checked")
                }
            }
        }
        Ok(client.vocabularies().update(id, &words).await?)
    })?;
    let words = counted(words.len() as u64, "word");
    console.note(&format!("{id} now has {words}; the service asks for five minutes between two updates of a list"));
    Ok(Exit::Done)
}

fn delete(client: &Client, ids: &[VocabularyId], console: &Console) -> Result<Exit, Failure> {
    let mut tally = ItemOutcomes::default();
    block_on(async {
        for id in ids {
            if tally.record(client.vocabularies().delete(id).await, console).is_some() {
                console.note(&format!("{id} deleted"));
            }
            if tally.denied() {
                break;
            }
        }
        Ok(())
    })?;
    tally.exit(Ok(Exit::Done))
}

/// Checks that the hotword list of a request exists and was created for its model: elsewhere a list has no effect, without
/// an error. One free call, made only if a list is named.
///
/// # Errors
/// There is no such list, or it is for another model.
pub(super) fn check_vocabulary_of(client: &Client, request: &Recognition, console: &Console) -> Result<(), Failure> {
    let Some(id) = request.get("vocabulary_id").and_then(Value::as_str) else { return Ok(()) };
    let id = VocabularyId::new(id)?;
    let list = match block_on(async { Ok(client.vocabularies().show(&id).await) })? {
        Ok(list) => list,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Auth | ErrorKind::Quota) => {
            return Err(error.into());
        }
        Err(error) => {
            console.note(&format!("warning: cannot check hotword list {id}: {error}"));
            return Ok(());
        }
    };
    if client.workspace().is_some() {
        console.note("warning: hotword lists work in the primary workspace only; elsewhere they have no effect");
    }
    if list.status == VocabularyStatus::Undeployed {
        console.note(&format!("warning: hotword list {id} is not ready for use yet"));
    }
    match list.target_model {
        Some(model) if model != request.model() => Err(Error::invalid(format!(
            "hotword list {id} is for {model} and has no effect with {}: use --model {model}, or create a list",
            request.model()
        ))
        .into()),
        _ => Ok(()),
    }
}

fn warn(warnings: &[Warning], console: &Console) {
    warnings.iter().for_each(|warning| console.note(&advice::warning(warning)));
}
