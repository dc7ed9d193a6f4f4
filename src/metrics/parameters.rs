//! The parameters behind the figures: one row each, from which flags, `report.json` and help are made.

macro_rules! parameters {
    ($($field:ident = $default:literal $unit:literal $meaning:literal;)+) => {
        /// What the figures depend on (definitions: parameters). Every report prints them beside the figures.
        ///
        /// ```
        /// use talkmeter::metrics::Parameters;
        /// let mut parameters = Parameters::default();
        /// assert_eq!(parameters.join_gap_ms, 250);
        /// parameters.set("dead_air_ms", 5000);
        /// assert_eq!(parameters.dead_air_ms, 5000);
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct Parameters {
            $(#[doc = $meaning] #[doc = concat!("(", $unit, ")")] pub $field: i64,)+
        }

        impl Default for Parameters {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl Parameters {
            /// Name, default, unit and meaning of each, in the order of the definitions.
            pub const LIST: &'static [Parameter] = &[
                $(Parameter { name: stringify!($field), default: $default, unit: $unit, meaning: $meaning },)+
            ];

            /// The largest value of each: a year in ms.
            pub const LARGEST: i64 = 31_536_000_000;

            /// Sets one by its name; `false` when there is none of that name.
            pub fn set(&mut self, name: &str, value: i64) -> bool {
                match name {
                    $(stringify!($field) => self.$field = value,)+
                    _ => return false,
                }
                true
            }

            /// Names and values, in the order of [`Parameters::LIST`].
            pub fn values(&self) -> impl Iterator<Item = (&'static str, i64)> {
                [$((stringify!($field), self.$field),)+].into_iter()
            }
        }
    };
}

/// Name, default, unit and meaning of one parameter.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Parameter {
    /// As in [`Parameters`]; as a flag with dashes.
    pub name: &'static str,
    /// The value without a flag.
    pub default: i64,
    /// `ms` or `units`.
    pub unit: &'static str,
    /// What it decides.
    pub meaning: &'static str,
}

parameters! {
    join_gap_ms = 250 "ms" "pauses of one participant up to this length count as talk";
    dead_air_ms = 3000 "ms" "mutual silence of at least this length is dead air";
    turn_pause_ms = 3000 "ms" "a pause of at least this length ends a turn";
    interruption_overlap_ms = 1000 "ms" "an interruption overlaps at least this long";
    incumbent_ms = 1000 "ms" "the interrupted participant has been talking at least this long";
    backchannel_max_ms = 1000 "ms" "a backchannel lasts at most this long";
    backchannel_max_units = 3 "units" "a backchannel has at most this many units";
    rate_min_talk_ms = 5000 "ms" "no rate if talk is shorter than this and units are below their minimum";
    rate_min_units = 10 "units" "no rate if units are fewer than this and talk is below its minimum";
    monologue_ms = 60000 "ms" "a turn of at least this length is a monologue";
}
