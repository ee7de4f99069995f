//! Writes the generated documents: `cargo run -p chat-wire --features schema --example generate`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for document in chat_wire::schema::documents() {
        let path = root.join(document.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, document.text)?;
    }
    Ok(())
}
