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

/// What is known of one parameter.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Parameter {
    /// As in [`Parameters`]; as a flag with dashes.
    pub name: &'static str,
    /// The value without a flag.
    pub default: i64,
    /// `ms` or `units`.
    pub unit: &'static str,
    /// What it decides, in one clause.
    pub meaning: &'static str,
}

parameters! {
    join_gap_ms = 250 "ms" "pauses of one speaker up to this long count as talk";
    dead_air_ms = 3000 "ms" "mutual silence from this length on is dead air";
    turn_pause_ms = 3000 "ms" "a pause of this length ends a turn (the command takes dead-air-ms unless told otherwise)";
    interruption_overlap_ms = 1000 "ms" "an interruption overlaps at least this long";
    incumbent_ms = 1000 "ms" "an interrupted participant has been speaking at least this long";
    backchannel_max_ms = 1000 "ms" "a backchannel lasts at most this long";
    backchannel_max_units = 3 "units" "a backchannel has at most this many units";
    rate_min_talk_ms = 5000 "ms" "no rate when talk is shorter and units are fewer than the minimum";
    rate_min_units = 10 "units" "no rate when units are fewer and talk is shorter than the minimum";
    monologue_ms = 60000 "ms" "a turn from this length on is a monologue";
}
