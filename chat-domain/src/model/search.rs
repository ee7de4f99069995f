use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization as _;

/// The longest query, in characters: as long as what lists show of a message.
pub const SEARCH_QUERY_MAX_CHARS: usize = 100;

/// What somebody looks for in a conversation.
///
/// - It is found in any case, and whether its accents are written with their letters or beside them.
/// - White space does not count, since Korean is written with and without it.
/// - Its last syllable may be unfinished, as it is while somebody types: 하 is found in 한.
///
/// ```
/// use chat_domain::SearchQuery;
/// let query: SearchQuery = "잠실경".parse()?;
/// assert!(query.is_in("잠실 경기장에서 봐요"));
/// assert!(!query.is_in("잠실에서 경기"));
/// # Ok::<(), chat_domain::SearchQueryError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SearchQuery(String);

/// Why a query is refused.
///
/// Exhaustive on purpose: whoever tells a client about it has to find words for every variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchQueryError {
    /// The query is nothing but white space.
    #[error("the query is empty")]
    Empty,
    /// The query is longer than [`SEARCH_QUERY_MAX_CHARS`].
    #[error("the query has {chars} characters; at most {SEARCH_QUERY_MAX_CHARS} are allowed")]
    TooLong {
        /// How many it has.
        chars: usize,
    },
}

impl SearchQuery {
    /// Whether a text has what is looked for.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        folded(text).contains(&self.0)
    }
}

/// What texts are compared by: taken apart into letters, as they are typed, without white space, and in one
/// case. A first letter of a syllable is another character than the same
/// one as its last, so what is found begins where a syllable does.
fn folded(text: &str) -> String {
    let letters = text.nfkd().filter(|letter| !letter.is_whitespace());
    let mut folded = String::new();
    for letter in letters {
        match COMPOUND.iter().find(|(compound, _)| *compound == letter) {
            Some((_, typed)) => folded.push_str(typed),
            // Some letters have two forms in lower case, and one in upper case.
            None => folded.extend(letter.to_uppercase().flat_map(char::to_lowercase)),
        }
    }
    folded
}

/// The vowels and last letters of Hangul that are typed as two, which Unicode does not take apart: 고
/// becomes 과, and 갑 becomes 값.
const COMPOUND: [(char, &str); 18] = [
    ('\u{116a}', "\u{1169}\u{1161}"),
    ('\u{116b}', "\u{1169}\u{1162}"),
    ('\u{116c}', "\u{1169}\u{1175}"),
    ('\u{116f}', "\u{116e}\u{1165}"),
    ('\u{1170}', "\u{116e}\u{1166}"),
    ('\u{1171}', "\u{116e}\u{1175}"),
    ('\u{1174}', "\u{1173}\u{1175}"),
    ('\u{11aa}', "\u{11a8}\u{11ba}"),
    ('\u{11ac}', "\u{11ab}\u{11bd}"),
    ('\u{11ad}', "\u{11ab}\u{11c2}"),
    ('\u{11b0}', "\u{11af}\u{11a8}"),
    ('\u{11b1}', "\u{11af}\u{11b7}"),
    ('\u{11b2}', "\u{11af}\u{11b8}"),
    ('\u{11b3}', "\u{11af}\u{11ba}"),
    ('\u{11b4}', "\u{11af}\u{11c0}"),
    ('\u{11b5}', "\u{11af}\u{11c1}"),
    ('\u{11b6}', "\u{11af}\u{11c2}"),
    ('\u{11b9}', "\u{11b8}\u{11ba}"),
];

impl FromStr for SearchQuery {
    type Err = SearchQueryError;

    fn from_str(text: &str) -> Result<Self, SearchQueryError> {
        let chars = text.trim().nfc().count();
        if chars > SEARCH_QUERY_MAX_CHARS {
            return Err(SearchQueryError::TooLong { chars });
        }
        Some(folded(text)).filter(|folded| !folded.is_empty()).map(Self).ok_or(SearchQueryError::Empty)
    }
}

/// Shows the length alone: what people look for stays out of logs.
impl fmt::Debug for SearchQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SearchQuery({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::the_same("봐요", "내일 봐요")]
    #[case::without_its_spaces("내일봐요", "내일 봐요")]
    #[case::with_spaces_of_its_own("내 일", "내일 봐요")]
    #[case::over_two_lines("봐요어디", "내일 봐요\n어디서?")]
    #[case::an_ideographic_space("내일봐요", "내일\u{3000}봐요")]
    #[case::taken_apart("\u{1112}\u{1161}\u{11ab}", "한강에서")]
    #[case::in_a_text_that_is_taken_apart("한강", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1161}\u{11bc}")]
    #[case::an_unfinished_syllable("하", "한강에서")]
    #[case::a_first_letter("ㅎ", "서울 한강")]
    #[case::an_unfinished_last_syllable("한가", "한강에서")]
    #[case::before_the_second_last_letter("갑", "값이 얼마")]
    #[case::before_the_second_vowel("고", "과자")]
    #[case::before_another_second_vowel("무", "뭐해")]
    #[case::before_a_last_letter_of_two("안", "않아")]
    #[case::all_of_two("읽", "책을 읽다")]
    #[case::capitals("SEOUL", "to Seoul")]
    #[case::small_letters("seoul", "SEOUL")]
    #[case::sigma_at_the_end("οδος", "ΟΔΟΣ")]
    #[case::sharp_s("strasse", "Straße")]
    #[case::accents_beside_letters("cafe\u{301}", "ein Café")]
    #[case::full_width("ＡＢＣ", "abc")]
    #[case::an_emoji("⚽", "오늘 ⚽ 어때?")]
    fn what_is_meant_is_found(#[case] query: &str, #[case] text: &str) {
        assert!(query.parse::<SearchQuery>().unwrap().is_in(text));
    }

    #[rstest]
    #[case::another_syllable("한강", "하강")]
    #[case::another_second_letter("값", "갑")]
    #[case::another_second_vowel("과", "고기")]
    #[case::a_last_letter_is_no_first_one("각", "가가")]
    #[case::the_middle_of_a_syllable("\u{1161}", "")]
    #[case::other_words("부산", "서울에서 봐요")]
    fn other_things_are_not(#[case] query: &str, #[case] text: &str) {
        assert!(!query.parse::<SearchQuery>().unwrap().is_in(text));
    }

    #[rstest]
    #[case::nothing("", SearchQueryError::Empty)]
    #[case::white_space(" \n\u{3000}", SearchQueryError::Empty)]
    #[case::too_long(&"가".repeat(101), SearchQueryError::TooLong { chars: 101 })]
    fn each_rule_has_its_error(#[case] query: &str, #[case] error: SearchQueryError) {
        assert_eq!(query.parse::<SearchQuery>(), Err(error));
    }

    #[test]
    fn the_limit_counts_syllables_however_they_are_written() {
        let longest = "\u{1112}\u{1161}\u{11ab}".repeat(SEARCH_QUERY_MAX_CHARS);
        assert!(format!(" {longest} ").parse::<SearchQuery>().is_ok());
    }

    proptest! {
        #[test]
        fn every_text_has_each_of_its_parts(
            before in "\\PC{0,20}",
            part in "[가-힣a-zA-Z ]{1,20}",
            after in "[가-힣a-z ]{0,20}",
        ) {
            if let Ok(query) = part.parse::<SearchQuery>() {
                let text = format!("{before} {part} {after}");
                prop_assert!(query.is_in(&text));
                prop_assert!(query.is_in(&text.nfd().collect::<String>()));
                prop_assert!(query.is_in(&text.to_lowercase()));
            }
        }

        #[test]
        fn no_query_panics(query in any::<String>(), text in any::<String>()) {
            let _ = query.parse::<SearchQuery>().map(|query| query.is_in(&text));
        }
    }
}
