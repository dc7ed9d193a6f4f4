//! Clips with known words, and terms that are misrecognised unless the context contains them.

use super::Sentence;
use super::script::ENGLISH;
use super::talk::dictate;

/// A clip recognised by a part of its file name.
#[derive(Debug)]
pub(super) struct Dictation {
    part_of_name: &'static str,
    spoken: &'static str,
    /// What is spoken, and what is recognised instead.
    terms: &'static [(&'static str, &'static str)],
    pub(super) duration_ms: u64,
}

static DICTATIONS: [Dictation; 1] = [Dictation {
    part_of_name: "jargon",
    spoken: "What insider jargon do you know in investment banking? First, the nine top foreign investment banks, Bulge \
           Bracket, BB...",
    terms: &[("Bulge Bracket", "Bird Rock")],
    duration_ms: 15_000,
}];

/// The clip of that file name.
pub(super) fn named(name: &str) -> Option<&'static Dictation> {
    let name = name.to_ascii_lowercase();
    DICTATIONS.iter().find(|dictation| name.contains(dictation.part_of_name))
}

impl Dictation {
    /// The recognised text: terms missing from the context are misrecognised.
    pub(super) fn recognized(&self, context: &str, duration_ms: u64) -> Vec<Sentence> {
        let mut line = self.spoken.to_owned();
        for (spoken, misheard) in self.terms.iter().filter(|(spoken, _)| !context.contains(spoken)) {
            line = line.replace(spoken, misheard);
        }
        let mut sentences = dictate(&ENGLISH, self.part_of_name, &line);
        // A file of that name may be shorter.
        let needed = sentences.last().map_or(0, Sentence::end).max(1);
        for word in sentences.iter_mut().flat_map(|sentence| &mut sentence.words).filter(|_| needed > duration_ms) {
            word.begin = word.begin * duration_ms / needed;
            word.end = (word.end * duration_ms / needed).max(word.begin + 1);
        }
        sentences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_heard_where_the_context_has_it() {
        let clip = named("Investment-JARGON_1.wav").unwrap();
        let text = |context: &str| -> String {
            clip.recognized(context, clip.duration_ms)
                .iter()
                .map(Sentence::text)
                .collect::<String>()
                .trim_end()
                .to_owned()
        };
        assert_eq!(text("a Bulge Bracket bank"), clip.spoken);
        assert_eq!(text("bulge bracket"), clip.spoken.replace("Bulge Bracket", "Bird Rock"));
        assert!(clip.recognized("", clip.duration_ms).last().unwrap().end() < clip.duration_ms);
        assert!(clip.recognized("", 900).last().unwrap().end() <= 900);
        assert!(named("a.wav").is_none());
    }
}
