use std::collections::BTreeMap;

use ts_rs::{Config, TS, TypeVisitor};

use crate::frames::ServerFrame;
use crate::rest::{
    AttachmentUrlBody, BlockedBody, ConversationsBody, HistoryBody, ProposalRequestBody, SearchBody,
    UploadBody, UploadRequestBody,
};
use crate::table::{ClientFrame, Operation, ROUTES};

const HEADER: &str = "\
// The chat's wire format, generated from the Rust types of chat-wire. Do not edit: change them, then run
// `make generate`.
";

/// The declarations of all types of the wire, by name: the order in which they are found changes from build
/// to build.
pub(super) fn document() -> String {
    let mut found = Declarations { config: Config::new(), by_name: BTreeMap::new() };
    found.visit::<ClientFrame>();
    found.visit::<ServerFrame>();
    for route in &ROUTES {
        found.bodies(route.operation);
    }
    let declarations = found.by_name.values().map(|declaration| format!("\n{declaration}\n"));
    HEADER.to_owned() + &declarations.collect::<String>()
}

struct Declarations {
    config: Config,
    by_name: BTreeMap<String, String>,
}

impl Declarations {
    fn bodies(&mut self, operation: Operation) {
        match operation {
            Operation::History => self.visit::<HistoryBody>(),
            Operation::Search => self.visit::<SearchBody>(),
            Operation::Conversations => self.visit::<ConversationsBody>(),
            Operation::Blocked => self.visit::<BlockedBody>(),
            Operation::RequestUpload => {
                self.visit::<UploadRequestBody>();
                self.visit::<UploadBody>();
            }
            Operation::OpenAttachment => self.visit::<AttachmentUrlBody>(),
            // It is answered like the frame that sends a message.
            Operation::ProposeMatch => self.visit::<ProposalRequestBody>(),
        }
    }
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        // Types without a path are TypeScript's own: strings, numbers, arrays.
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default();
            let declaration = format!("{docs}export {}", laid_out(&T::decl(&self.config)));
            if self.by_name.insert(T::ident(&self.config), declaration).is_some() {
                return;
            }
        }
        T::visit_dependencies(self);
    }
}

/// A declaration with its fields indented, or with a line for each frame of a union: as it comes, it has
/// neither.
fn laid_out(declaration: &str) -> String {
    let declaration = declaration.replace(" | {", "\n  | {");
    let Some(fields) = declaration.strip_suffix(" };") else { return declaration };
    let mut lines: Vec<String> = fields.lines().map(|line| format!("  {}", line.trim_end())).collect();
    if let Some(first) = lines.first_mut() {
        *first = first.trim_start().to_owned();
    }
    lines.join("\n") + "\n};"
}
