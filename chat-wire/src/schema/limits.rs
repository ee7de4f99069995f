use chat_domain::Kind;
use serde_json::json;

use crate::table::{ROUTES, SUBPROTOCOL};

const HEADER: &str = "\
// What the server allows, by the Rust constants of the same names. Do not edit: change them, then run `make
// generate`.
";

const ROUTES_HEADER: &str = "\
// The routes of REST, by what they do, as chat-wire's table has them. Do not edit: change the table, then run
// `make generate`.
";

/// Constants by their names, each as a line of TypeScript.
macro_rules! typescript {
    ($($constant:ident),+ $(,)?) => {
        [$(format!("export const {} = {:?}\n", stringify!($constant), chat_domain::$constant)),+].concat()
    };
}

/// The limits that a client has to know before it asks, what it asks for, and which kinds there are.
pub(super) fn document() -> String {
    let limits = typescript![
        EMAIL_MAX_BYTES,
        MESSAGE_TEXT_MAX_BYTES,
        PREVIEW_MAX_CHARS,
        ROOMS_PAGE_MAX,
        REQUEST_MESSAGES_MAX,
        REACTIONS_MAX,
        REPORT_MESSAGES_MAX,
        REPORT_REASON_MAX_BYTES,
        IMAGE_MAX_BYTES,
        IMAGE_MAX_SIDE,
        IMAGE_MAX_PIXELS,
        ALT_TEXT_MAX_BYTES,
        TEAM_NAME_MAX_BYTES,
        VENUE_MAX_BYTES,
        NOTE_MAX_BYTES,
        OWN_BODY_MAX_BYTES,
        OWN_PREVIEW_MAX_BYTES,
        SEARCH_QUERY_MAX_CHARS,
    ];
    let kinds: String = Kind::KNOWN.iter().map(|kind| format!("  '{}',\n", kind.as_str())).collect();
    format!(
        "{HEADER}\nexport const SUBPROTOCOL = '{SUBPROTOCOL}'\n{limits}\
         /** The kinds of messages that the server knows. */\nexport const KINDS = [\n{kinds}] as const\n"
    )
}

/// The paths of REST, by the names of what they do. A parameter of a path is in braces.
pub(super) fn routes() -> String {
    let routes: String = ROUTES
        .iter()
        .map(|route| {
            let name = json!(route.operation);
            let name = name.as_str().expect("an operation serialises as its name");
            format!("  {name}: '{}',\n", route.resource)
        })
        .collect();
    format!("{ROUTES_HEADER}\nexport const ROUTES = {{\n{routes}}} as const\n")
}
