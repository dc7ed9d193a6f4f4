//! The tables `calls`, `costs` and `warnings`.

use super::{Column, Definition, Kind, Table, Unit, Use, optional, place, push, table};

table! {
    /// `calls`: one row per result file.
    CALLS "calls" "one row per call", |call, row| std::iter::once(&call.call);
    file Text None null NEVER
        "the call: path of the result file below the given folder"
        per call call.file.as_str();
    file_url Text None null NEVER or "not in the file"
        "the recording as the result file names it; a label, never opened"
        => row.file_url.as_deref();
    model Text None null NEVER or "not known"
        "the model that made the transcript; a result file does not name it" see Price
        => row.model.as_deref();
    audio_format Text None null NEVER or "not in the file"
        "format of the recording as received"
        => row.audio_format.as_deref();
    sampling_rate_hz Integer Hertz null NEVER or "not in the file"
        "sampling rate of the recording as received"
        => row.sampling_rate_hz;
    duration_ms Integer LongMs null DURATION
        "length of the recording: as stated, else the last end of any word or sentence" see Duration
        label "Length" uses [Ranked Summed ListedBriefly Fact]
        => row.duration_ms;
    duration_source Text None null NEVER or "follows duration_ms"
        "properties (stated) or last_end" see Duration
        => row.duration_source;
    span_start_ms Integer Ms null SPAN
        "where the first burst begins" see Span
        => row.span_start_ms;
    span_end_ms Integer Ms null SPAN
        "where the last burst ends" see Span
        => row.span_end_ms;
    span_ms Integer LongMs null SPAN
        "span_end_ms − span_start_ms: the conversation without ring-back and tail" see Span
        => row.span_ms;
    lead_silence_ms Integer Ms null SPAN
        "from the start of the recording to the first burst" see Span
        => row.lead_silence_ms;
    tail_silence_ms Integer Ms null TAIL
        "from the last burst to the end of the recording" see Span
        => row.tail_silence_ms;
    speech_ms Integer LongMs null TIMED
        "time in which at least one participant talks: length of the union of all bursts" see Span
        label "Speech" uses [Ranked Summed Fact Group]
        => row.speech_ms;
    silence_ms Integer LongMs null SPAN
        "mutual silence inside the span: span_ms − speech_ms; includes time on hold, with or without music" see Silence
        label "Silence" uses [Ranked Summed]
        => row.silence_ms;
    silence_ratio Number Share null SPAN
        "silence_ms / span_ms" see Silence
        label "Silence" uses [Ranked Spread Strip ListedBriefly Fact Group]
        => row.silence_ratio;
    longest_silence_ms Integer Ms null SPAN
        "the longest mutual silence inside the span; 0 without a gap" see Silence
        label "Longest silence" uses [Ranked Spread 60 Fact Attention]
        => row.longest_silence_ms;
    dead_air_count Integer Events null TIMED
        "mutual silences inside the span of at least dead_air_ms" see DeadAir
        label "Dead air" parameters [dead_air_ms] uses [Ranked Summed PerCall Listed ListedBriefly Group]
        => row.dead_air_count;
    dead_air_ms Integer Ms null TIMED
        "their total length" see DeadAir
        label "Dead air, time" parameters [dead_air_ms] uses [Ranked Summed PerCall Strip Listed Attention 10]
        => row.dead_air_ms;
    overlap_ms Integer Ms null OVERLAP
        "time in which two or more participants talk" see Overlap
        => row.overlap_ms;
    overlap_ratio Number Share null OVERLAP
        "overlap_ms / speech_ms" see Overlap
        label "Overlap" uses [Ranked Spread Strip 70 Listed 60 Fact Attention]
        => row.overlap_ratio;
    participant_count Integer Participants null NEVER
        "transcribed channels, or diarised speakers of one channel" see Participant
        => row.participant_count;
    channel_count Integer Channels null NEVER
        "transcribed channels" see Identifiers
        => row.channel_count;
    sentence_count Integer Sentences null NEVER
        "sentences as received"
        => row.sentence_count;
    turn_count Integer Turns null TIMED
        "turns of all participants; talk inside another participant's turn is not a turn" see Turn
        label "Turns"
        => row.turn_count;
    switch_count Integer Switches null SWITCHES
        "adjacent turns of different known participants; 0 without speech" see Switch
        => row.switch_count;
    switches_per_min Number PerMinute null SWITCHES
        "switch_count / (span_ms / 60000)" see Switch
        label "Switches/min" uses [Ranked Spread Strip 60 Listed 60 Fact Group]
        => row.switches_per_min;
    onset_count Integer Events null OVERLAP
        "bursts that began while another participant was talking: the sum of the five kinds" see Onset
        => row.onset_count;
    interruption_count Integer Events null OVERLAP
        "onsets that outlast the incumbent and overlap at least interruption_overlap_ms, after the incumbent held for at least incumbent_ms" see Interruption
        label "Interruptions" parameters [interruption_overlap_ms incumbent_ms] uses [Ranked Summed PerCall Listed ListedBriefly Group Attention 20]
        => row.interruption_count;
    backchannel_count Integer Events null OVERLAP
        "short onsets inside the incumbent's burst" see Backchannel
        label "Backchannels" parameters [backchannel_max_ms backchannel_max_units]
        => row.backchannel_count;
    units Integer Units null COUNTABLE
        "Han characters and all other words (UAX #29 segments with a letter or digit), without markers such as [PII]" see Units
        uses [Ranked Summed]
        => row.units;
    words Integer Words null COUNTABLE
        "units that do not begin with a Han character" see Units
        => row.words;
    han_chars Integer Characters null NEVER
        "units that begin with a Han character" see Units
        => row.han_chars;
    units_per_min Number UnitsPerMinute null RATE
        "units × 60000 / talk_ms of all participants" see SpeechRate
        label "Words/min" parameters [rate_min_talk_ms rate_min_units] uses [Ranked Spread Listed 60 ListedBriefly Fact Group]
        => row.units_per_min;
    keyword_hit_count Integer Hits null NEVER or "no keyword was given"
        "keyword hits of all participants" see KeywordHit
        label "Keyword hits" uses [Ranked Summed PerCall Listed 60 Fact]
        => row.keyword_hit_count;
    billable_ms Integer LongMs null BILLED
        "speech that is billed, all transcribed channels: as stated per channel, else the union of the sentences; of flash models the length" see BillableSpeech
        label "Billable speech" uses [Ranked Summed Fact]
        => row.billable_ms;
    billable_source Text None null NEVER or "follows billable_ms; no channel"
        "content_duration, sentences or mixed; duration where the length is billed" see BillableSpeech
        => row.billable_source;
    warning_count Integer Warnings null NEVER
        "rows of this file in the table warnings" see Warning
        label "Warnings" uses [Ranked Listed 60 Fact]
        => row.warning_count;
    reason Text None null NEVER or "nothing is null"
        "why columns of this row are null: codes joined by ;" see Reason
        => row.reasons.cell();
    source_format Text None null NEVER or "in tables of earlier versions"
        "who writes transcripts of this form: model_studio, or another recogniser or format" see ResultFile
        => row.source_format;
}

table! {
    /// `costs`: one row per transcribed channel.
    COSTS "costs" "one row per call and transcribed channel", |call, row| call.billable.iter();
    file Text None null NEVER
        "the call: path of the result file below the given folder"
        per call call.file.as_str();
    channel_id Integer None null NEVER
        "the transcribed track" see Identifiers
        => row.channel_id;
    model Text None null NEVER or "not known"
        "the model that was billed" see Price
        => call.call.model.as_deref();
    region Text None null NEVER or "not known"
        "the region it ran in" see Price
        => call.region.map(crate::catalog::Region::name);
    billable_ms Integer LongMs null BILLED
        "speech that is billed on this track; of flash models the length of the recording, on the first" see BillableSpeech
        => row.billable_ms;
    billable_source Text None null NEVER or "follows billable_ms"
        "content_duration or sentences; duration where the length is billed" see BillableSpeech
        => row.billable_source;
    billed_seconds Integer Seconds null NEVER or "follows billable_ms"
        "billable_ms / 1000, rounded up for each track: the upper bound of how the vendor may round" see BilledSeconds
        => row.billed_seconds;
    unit_price Decimal CurrencyPerSecond null NEVER or "model, region or price not known; billed by tokens; follows billed_seconds"
        "price of a second on the date of price_date" see Price
        from UnitPrice;
    currency Text None null NEVER or "follows unit_price"
        "USD or CNY" see Price
        from Currency;
    cost Decimal Currency null NEVER or "follows unit_price"
        "billed_seconds × unit_price" see Price
        from Cost;
    price_date Date None null NEVER or "follows unit_price"
        "the day the price was looked up" see Price
        from PriceDate;
}

table! {
    /// `warnings`: one row per file and code.
    WARNINGS "warnings" "one row per call and code", |call, row| call.warnings.iter().filter(|warning| warning.code.is_tabled());
    file Text None null NEVER
        "the call: path of the result file below the given folder"
        per call call.file.as_str();
    code Text None null NEVER
        "what was found, as a code" see Warning
        => row.code.name();
    count Integer ByCode null NEVER
        "how often; for self_overlap_ms the number of ms" see Warning
        => row.count as i64;
    detail Text None null NEVER or "nothing to add"
        "the first place" see Warning
        => row.detail.as_deref();
}
