//! What must never be shown: the key, and the query of a signed address.

use crate::batch::{MODEL, wav};
use crate::scene::{Ran, files_below};
use crate::service::{KEY, Service};

const SIGNED: &str = "https://calls.example/a.wav?Expires=1&Signature=c2VjcmV0";

/// The key is nowhere, and no signature on stdout or stderr.
#[track_caller]
fn keeps_secrets(ran: &Ran) {
    let said = [ran.err().to_owned(), ran.out()].join("\n");
    for secret in ["sk-very", "Signature=", "Expires=", "c2VjcmV0", "OSSAccessKeyId"] {
        assert!(!said.contains(secret), "{secret} in\n{said}");
    }
    for (name, bytes) in files_below(&ran.path("out")) {
        assert!(!bytes.windows(7).any(|part| part == b"sk-very"), "the key is in {name}");
        // The address of a recording is in the ledger and in failures.csv as given; the service's links are nowhere.
        assert!(!bytes.windows(14).any(|part| part == b"OSSAccessKeyId"), "a signed link is in {name}");
    }
}

#[test]
fn at_the_highest_verbosity_neither_key_nor_signature_is_printed() {
    let service = Service::with(
        "[[fault]]\non = \"submit\"\ndo = \"reset_after\"\n\
         [[fault]]\non = \"result\"\ntimes = 2\ndo = \"truncate\"\n\
         [[fault]]\non = \"result\"\ndo = \"expired\"\n\
         [[fault]]\non = \"upload\"\ndo = \"status\"\nstatus = 503\n\
         [[fault]]\non = \"recognition\"\nurl_contains = \"/b.wav\"\ndo = \"fail\"\n",
    );
    let b = SIGNED.replace("a.wav", "b.wav");
    let scene = service.scene().write("c.wav", wav(1, 16_000, 1));
    let ran =
        scene.run_with(["transcribe", SIGNED, &b, "c.wav", "-o", "out", "--model", "paraformer-v2", "-vv"]).exits(3);
    let ran =
        ran.says("endpoint=POST http://127.0.0.1").says("/api/v1/uploads").says("?…").says("FILE_DOWNLOAD_FAILED");
    keeps_secrets(&ran);
    assert!(ran.file("out/failures.csv").contains(&b), "the address is to be found as it was given");
    assert_eq!(service.hits().key_leaks, 0);
    assert!(service.of_kind("upload") > 0 && service.of_kind("result") > 3);
}

#[test]
fn what_a_server_echoes_is_redacted() {
    let echo = format!("the key {KEY} may not read {SIGNED}");
    let service = Service::with(&format!(
        "[[fault]]\non = \"list\"\ndo = \"status\"\nstatus = 500\nbody = \"{echo}\"\n\
         [[fault]]\non = \"submit\"\nurl_contains = \"/a.wav\"\ndo = \"status\"\nstatus = 400\ncode = \"InvalidParameter\"\nmessage = \"{echo}\"\n\
         [[fault]]\non = \"submit\"\nurl_contains = \"/c.wav\"\ndo = \"status\"\nstatus = 502\naccepted = true\nbody = \"{echo}\"\n\
         [[fault]]\non = \"query\"\ndo = \"ok_with_code\"\nmessage = \"{echo}\"\n\
         [[fault]]\non = \"recognition\"\nurl_contains = \"/b.wav\"\ndo = \"fail\"\ncode = \"FILE_403_FORBIDDEN\"\nmessage = \"{echo}\"\n",
    ));
    let (b, c) = (SIGNED.replace("a.wav", "b.wav"), SIGNED.replace("a.wav", "c.wav"));
    let ran = service.scene().run_with(["transcribe", SIGNED, &b, &c, "-o", "out", "--model", "paraformer-v2", "-vv"]);
    let ran = ran.exits(3).says("InvalidParameter").says("FILE_403_FORBIDDEN").says("[key]");
    keeps_secrets(&ran);
}

#[test]
fn a_key_that_is_refused_is_not_shown_either() {
    // A long message is cut, here within the key.
    let said = format!("Incorrect API key provided: {KEY}");
    let said = format!("{said} {}{KEY}", "x".repeat(600 - 1 - said.len() - KEY.len() / 2));
    let service = Service::with(&format!(
        "[[fault]]\non = \"list\"\ndo = \"status\"\nstatus = 401\ncode = \"InvalidApiKey\"\nmessage = \"{said}\"\n"
    ));
    let ran = service.scene().write("key.txt", format!("{KEY}\n"));
    let ran = ran.run_with([
        "transcribe",
        SIGNED,
        "-o",
        "out",
        "--model",
        "paraformer-v2",
        "-vv",
        "--api-key-file",
        "key.txt",
    ]);
    let ran = ran.exits(4).says("Incorrect API key provided: [key]");
    keeps_secrets(&ran);
    let ran = service.then(ran).run(&format!("transcribe -o out {MODEL} --api-key {KEY}")).exits(2);
    ran.says("unexpected argument '--api-key'");
}

#[test]
fn debug_output_of_client_and_batch_has_no_key() {
    use talkmeter::batch::{Batch, BatchRequest, ManifestBuilder};
    use talkmeter::client::{ApiKey, Client, Recognition};

    let service = Service::new().unasked();
    let folder = tempfile::tempdir().unwrap();
    let client = Client::builder().api_key(ApiKey::new(KEY).unwrap()).base_url(service.base_url()).build().unwrap();
    let shown = format!("{client:?} {client:#?}");
    let mut draft = ManifestBuilder::default();
    draft.argument(SIGNED.as_ref());
    let order = BatchRequest::new(Recognition::new("paraformer-v2"), draft.finish().unwrap().recordings);
    let batch = Batch::open(folder.path(), client, order).unwrap();
    let shown = format!("{shown} {batch:?} {batch:#?}");
    assert!(shown.contains("Batch") && shown.contains("[key]"), "{shown}");
    assert!(!shown.contains("very-secret") && !shown.contains("Signature"), "{shown}");
}
