//! docs/claims.md is made from the claims. `RENEW_CLAIMS_PAGE=1 cargo test --workspace --test claims_page` renews it.

use loadgen::claims::page::{BEGIN, END, renewed};
use std::path::Path;

#[test]
fn the_page_of_the_claims_says_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/claims.md");
    let page = std::fs::read_to_string(&path).expect("docs/claims.md");
    let made = renewed(&page).unwrap_or_else(|| panic!("docs/claims.md lacks {BEGIN} or {END}"));
    if std::env::var_os("RENEW_CLAIMS_PAGE").is_some() {
        std::fs::write(&path, &made).expect("writes docs/claims.md");
        return;
    }
    let differences = page.lines().zip(made.lines()).filter(|(there, made)| there != made);
    let first = differences.map(|(there, made)| format!("it has {there:?}, the code has {made:?}")).next();
    assert!(
        page == made,
        "docs/claims.md differs from the claims in loadgen/src/claims; if that is meant: \
         RENEW_CLAIMS_PAGE=1 cargo test --workspace --test claims_page\n{}",
        first.unwrap_or_default()
    );
}
