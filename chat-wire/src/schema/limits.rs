use crate::table::SUBPROTOCOL;

const HEADER: &str = "\
// What the server allows, by the Rust constants of the same names. Do not edit: change them, then run `make
// generate`.
";

/// Constants by their names, each as a line of TypeScript.
macro_rules! typescript {
    ($($constant:ident),+ $(,)?) => {
        [$(format!("export const {} = {:?}\n", stringify!($constant), chat_domain::$constant)),+].concat()
    };
}

/// The limits that a client has to know before it asks, and what it asks for.
pub(super) fn document() -> String {
    let limits = typescript![
        EMAIL_MAX_BYTES,
        MESSAGE_TEXT_MAX_BYTES,
        PREVIEW_MAX_CHARS,
        IMAGE_MAX_BYTES,
        IMAGE_MAX_SIDE,
        IMAGE_MAX_PIXELS,
        ALT_TEXT_MAX_BYTES,
        TEAM_NAME_MAX_BYTES,
        PLACE_MAX_BYTES,
        NOTE_MAX_BYTES,
    ];
    format!("{HEADER}\nexport const SUBPROTOCOL = '{SUBPROTOCOL}'\n{limits}")
}
