//! Flags of `analyze` that say how to measure; what they do to the figures is in `figures`.

use serde_json::json;

use crate::scene::{Ran, call, column, has};

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
