//! The tables `calls`, `costs` and `warnings`.

use super::{Column, Kind, Table, table};

table! {
    /// `calls`: one row a result file.
    CALLS "calls" "one row a call", |call, row| std::iter::once(&call.call);
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    file_url Text "" null "not in the file" "the recording, as the result names it; a label, never opened" "" => row.file_url.as_deref();
    model Text "" null "not known" "the model that made the transcript; a result file does not name it" "price" => row.model.as_deref();
    audio_format Text "" null "not in the file" "format of the recording as received" "" => row.audio_format.as_deref();
    sampling_rate_hz Integer "Hz" null "not in the file" "sampling rate of the recording as received" "" => row.sampling_rate_hz;
    duration_ms Integer "ms" null "duration_unknown" "length of the recording: as stated, else the last end of any word or sentence" "duration" => row.duration_ms;
    duration_source Text "" null "follows duration_ms" "properties (stated) or last_end" "duration" => row.duration_source;
    span_start_ms Integer "ms" null "no_speech, no_times" "where the first burst begins" "span" => row.span_start_ms;
    span_end_ms Integer "ms" null "no_speech, no_times" "where the last burst ends" "span" => row.span_end_ms;
    span_ms Integer "ms" null "no_speech, no_times" "span_end_ms − span_start_ms: the conversation without ring-back and tail" "span" => row.span_ms;
    lead_silence_ms Integer "ms" null "no_speech, no_times" "from the start of the recording to the first burst" "span" => row.lead_silence_ms;
    tail_silence_ms Integer "ms" null "no_speech, no_times, duration_unknown" "from the last burst to the end of the recording" "span" => row.tail_silence_ms;
    speech_ms Integer "ms" null "no_times" "time in which anybody talks: length of the union of all bursts" "span" => row.speech_ms;
    silence_ms Integer "ms" null "no_speech, no_times" "mutual silence inside the span: span_ms − speech_ms; hold music and hold are not told apart" "silence" => row.silence_ms;
    silence_ratio Number "0–1" null "no_speech, no_times" "silence_ms / span_ms" "silence" => row.silence_ratio;
    longest_silence_ms Integer "ms" null "no_speech, no_times" "the longest mutual silence inside the span; 0 without a gap" "silence" => row.longest_silence_ms;
    dead_air_count Integer "events" null "no_times" "mutual silences inside the span from dead_air_ms on" "dead air" => row.dead_air_count;
    dead_air_ms Integer "ms" null "no_times" "their total length" "dead air" => row.dead_air_ms;
    overlap_ms Integer "ms" null "no_times, no_speech, single_participant, duplicate_channels, single_channel_diarised" "time in which two or more participants talk" "overlap" => row.overlap_ms;
    overlap_ratio Number "0–1" null "no_times, no_speech, single_participant, duplicate_channels, single_channel_diarised" "overlap_ms / speech_ms" "overlap" => row.overlap_ratio;
    participant_count Integer "participants" null "" "transcribed channels, or diarised speakers of one channel" "participant" => row.participant_count;
    channel_count Integer "channels" null "" "transcribed channels" "identifiers" => row.channel_count;
    sentence_count Integer "sentences" null "" "sentences as received" "" => row.sentence_count;
    turn_count Integer "turns" null "no_times" "turns of all participants; what is said inside somebody else's turn is none" "turn" => row.turn_count;
    switch_count Integer "switches" null "no_times, no_speech, single_participant" "adjacent turns of different known participants; 0 when nobody spoke" "switch" => row.switch_count;
    switches_per_min Number "1/min" null "no_times, no_speech, single_participant" "switch_count / (span_ms / 60000)" "switch" => row.switches_per_min;
    onset_count Integer "events" null "no_times, no_speech, single_participant, duplicate_channels, single_channel_diarised" "bursts that began while somebody else was talking: the sum of the five kinds" "onset" => row.onset_count;
    interruption_count Integer "events" null "no_times, no_speech, single_participant, duplicate_channels, single_channel_diarised" "onsets that outlast the incumbent, overlap by interruption_overlap_ms or more, after the incumbent held for incumbent_ms or more" "interruption" => row.interruption_count;
    backchannel_count Integer "events" null "no_times, no_speech, single_participant, duplicate_channels, single_channel_diarised" "short onsets inside the incumbent's burst" "backchannel" => row.backchannel_count;
    units Integer "units" null "script_needs_dictionary" "Han characters and all other words (UAX #29 segments with a letter or digit), markers such as [PII] left out" "units" => row.units;
    words Integer "words" null "script_needs_dictionary" "units that do not begin with a Han character" "units" => row.words;
    han_chars Integer "characters" null "" "units that begin with a Han character" "units" => row.han_chars;
    units_per_min Number "units/min" null "no_speech, no_times, script_needs_dictionary, untimed_text, too_little_speech" "units × 60000 / talk_ms of all participants" "speech rate" => row.units_per_min;
    keyword_hit_count Integer "hits" null "no keyword was given" "keyword hits of all participants" "keyword hit" => row.keyword_hit_count;
    billable_ms Integer "ms" null "no_times" "speech that is billed, all transcribed channels: as stated per channel, else the union of the sentences" "billable speech" => row.billable_ms;
    billable_source Text "" null "follows billable_ms; no channel" "content_duration, sentences or mixed" "billable speech" => row.billable_source;
    warning_count Integer "warnings" null "" "rows of this file in the table warnings" "warning" => row.warning_count;
    reason Text "" null "nothing is null" "why columns of this row are null: codes joined by ;" "reason" => row.reasons.cell();
}

table! {
    /// `costs`: one row a transcribed channel.
    COSTS "costs" "one row a call and transcribed channel", |call, row| call.costs.iter();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    channel_id Integer "" null "" "the transcribed track" "identifiers" => row.channel_id;
    model Text "" null "not known" "the model that was billed" "price" => row.model.as_deref();
    region Text "" null "not known" "the region it ran in" "price" => row.region.as_deref();
    billable_ms Integer "ms" null "no_times" "speech that is billed on this track" "billable speech" => row.billable_ms;
    billable_source Text "" null "follows billable_ms" "content_duration or sentences" "billable speech" => row.billable_source;
    billed_seconds Integer "s" null "follows billable_ms" "billable_ms / 1000, rounded up for each track: the upper bound of what the vendor's rounding can mean" "billed seconds" => row.billed_seconds;
    unit_price Decimal "currency/s" null "model, region or price not known; billed by tokens; follows billed_seconds" "price of a second on the date of price_date" "price" => row.priced.map(|priced| priced.unit_price);
    currency Text "" null "follows unit_price" "USD or CNY" "price" => row.priced.map(|priced| priced.currency.code());
    cost Decimal "currency" null "follows unit_price" "billed_seconds × unit_price" "price" => row.priced.map(|priced| priced.cost);
    price_date Text "" null "follows unit_price" "the day the price was looked up" "price" => row.priced.map(|priced| priced.price_date.to_string());
}

table! {
    /// `warnings`: one row a file and code.
    WARNINGS "warnings" "one row a call and code", |call, row| call.warnings.iter().filter(|warning| warning.code.is_tabled());
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    code Text "" null "" "what is odd; `talkmeter check` says what it means" "warning" => row.code.name();
    count Integer "by code" null "" "how often; for self_overlap_ms how many ms" "warning" => row.count as i64;
    detail Text "" null "nothing to add" "the first place" "warning" => row.detail.as_deref();
}
