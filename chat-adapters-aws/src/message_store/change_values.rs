//! Changes, and what they leave on messages, as attributes of rows and heads.

use chat_domain::{
    AttachmentKey, Change, ChangeAction, Changed, Effect, Emoji, Member, PerMember, Reactions,
};

use crate::attributes::{Fields, Malformed, item, number, text};
use crate::items::{Item, Value};
use crate::tables::messages::{CHANGED_BY, EDITED_AT, REACTIONS};

/// What a change says, as the row of its entry has it.
pub(super) fn change_value(change: &Change) -> Value {
    let (action, attachment) = match &change.action {
        ChangeAction::React => ("react", None),
        ChangeAction::Edit => ("edit", None),
        ChangeAction::Delete { attachment } => ("delete", attachment.as_ref()),
    };
    let mut map = item([("target", text(change.target)), ("action", text(action))]);
    map.extend(attachment.map(|key| ("attachment".to_owned(), text(key))));
    Value::M(map)
}

pub(super) fn change_from(map: Fields<'_>) -> Result<Change, Malformed> {
    let action = match map.text("action")? {
        "react" => ChangeAction::React,
        "edit" => ChangeAction::Edit,
        "delete" => ChangeAction::Delete { attachment: map.maybe_parsed::<AttachmentKey>("attachment")? },
        _ => return Err(Malformed::Contradiction("action")),
    };
    Ok(Change { target: map.parsed("target")?, action })
}

/// What becomes of the target, as the head keeps it.
pub(super) fn effect_value(effect: &Effect) -> Value {
    Value::M(match effect {
        Effect::React(reactions) => item([("react", reactions_value(reactions))]),
        Effect::Edit(words) => item([("edit", text(words))]),
        Effect::Delete => item([("delete", Value::Bool(true))]),
    })
}

pub(super) fn effect_from(map: Fields<'_>) -> Result<Effect, Malformed> {
    if map.has("react") {
        return Ok(Effect::React(reactions_from(map, "react")?));
    }
    if map.has("edit") { Ok(Effect::Edit(map.parsed("edit")?)) } else { Ok(Effect::Delete) }
}

/// What changes have left on a message, as its row has it.
pub(super) fn changed_item(changed: &Changed) -> Item {
    let mut left = Item::new();
    if changed.by > 0 {
        left.insert(CHANGED_BY.to_owned(), number(changed.by));
    }
    left.extend(changed.edited_at.map(|at| (EDITED_AT.to_owned(), text(at))));
    for member in [Member::A, Member::B] {
        let reactions = &changed.reactions[member];
        if !reactions.is_empty() {
            left.insert(REACTIONS[member].to_owned(), reactions_value(reactions));
        }
    }
    left
}

pub(super) fn changed_from(row: Fields<'_>) -> Result<Changed, Malformed> {
    Ok(Changed {
        by: row.maybe_number(CHANGED_BY)?.unwrap_or(0),
        edited_at: row.maybe_parsed(EDITED_AT)?,
        reactions: PerMember { a: reactions_from(row, REACTIONS.a)?, b: reactions_from(row, REACTIONS.b)? },
    })
}

pub(super) fn reactions_value(reactions: &Reactions) -> Value {
    Value::L(reactions.iter().map(text).collect())
}

fn reactions_from(fields: Fields<'_>, name: &'static str) -> Result<Reactions, Malformed> {
    let Some(value) = fields.0.get(name) else { return Ok(Reactions::default()) };
    let listed = value.as_l().ok_or(Malformed::Absent(name))?;
    let emoji = listed.iter().map(|one| one.as_s().map(Emoji::stored)).collect::<Option<Vec<_>>>();
    Reactions::new(emoji.ok_or(Malformed::Absent(name))?).map_err(|error| Malformed::value(name, error))
}
