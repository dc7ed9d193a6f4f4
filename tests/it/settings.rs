//! Flags of `analyze` that say how to measure; what they do to the figures is in `figures`.

use serde_json::json;

use crate::scene::{Ran, Scene, call, column, has};

fn analysed(flags: &str) -> Ran {
    let call = call(&[(0, 0, 1000, "one [PII]"), (0, 4000, 9000, "two")]).silent(1).lasting(9000);
    crate::scene::analysed_with(call, flags)
}

#[test]
fn the_pause_that_ends_a_turn_follows_dead_air_unless_it_is_set() {
    let turns = |flags| column(&analysed(flags).table("turns"), "end_ms");
    assert_eq!(turns(""), [1000, 9000]);
    assert_eq!(turns("--dead-air-ms 5000"), [9000]);
    assert_eq!(turns("--dead-air-ms 5000 --turn-pause-ms 3000"), [1000, 9000]);
}

#[test]
fn a_role_that_no_participant_has_is_reported() {
    analysed("--role ch1=customer --role spk7=agent")
        .says("--role spk7=agent: no file has participant `spk7`")
        .says_no("ch1");
    let roles = analysed("--role ch0=agent,ch1=customer").table("participants");
    assert_eq!(column(&roles, "role"), ["agent", "customer"]);
}

#[test]
fn a_window_without_a_unit_is_in_seconds() {
    let windows = |flags| analysed(flags).table("windows");
    assert_eq!(windows("--window 5").len(), 4);
    assert_eq!(windows("--window 5"), windows("--window 5s"));
    assert_eq!(windows("--window 5"), windows("--window 5000ms"));
}

#[test]
fn markers_model_and_region_are_taken_from_flags() {
    has(&analysed("").row("calls"), json!({"units": 2, "model": null}));
    has(&analysed("--keep-markers --model fun-asr").row("calls"), json!({"units": 3, "model": "fun-asr"}));
    has(&analysed("--model fun-asr --region cn").table("costs")[0], json!({"model": "fun-asr", "region": "cn"}));
}

#[test]
fn a_length_may_have_a_unit() {
    let of = |flags: &str| {
        let scene = Scene::new().call("a", call(&[(0, 0, 900, "hello"), (1, 3400, 3900, "yes")]));
        let ran = scene.run(&format!("analyze calls -o out --tables jsonl {flags}")).exits(0);
        let row = ran.row("calls");
        (row["dead_air_count"].clone(), ran.table("windows").len())
    };
    let (none, _) = of("");
    let (some, windows) = of("--dead-air-ms 2500ms --window 2s");
    assert_ne!(none, some, "2.5 s are dead air");
    for flags in ["--dead-air-ms 2500", "--dead-air-ms 2.5s"] {
        assert_eq!(of(&format!("{flags} --window 2000ms")), (some.clone(), windows));
    }
    let (_, one) = of("--window 1h");
    assert!(one < windows, "{one} of an hour, {windows} of two seconds");
    for wrong in ["--dead-air-ms 2parsecs", "--dead-air-ms 0.5ms", "--window 25h"] {
        Scene::new().run(&format!("analyze calls {wrong}")).exits(2).says("a length such as ");
    }
}

#[test]
fn of_many_odd_files_five_are_named() {
    let scene = (0..8).fold(Scene::new(), |scene, n| {
        scene.call(&format!("{n}"), call(&[(0, 0, 900, "hello"), (0, 1000, 1900, "…")]))
    });
    let ran = scene.run("analyze calls -o out --tables jsonl").exits(0).says("blank_sentence: and 3 more files\n");
    assert_eq!(ran.err().matches(".json: blank_sentence").count(), 5, "{}", ran.err());
    assert_eq!(ran.table("warnings").len(), 8, "the table has all");
}
