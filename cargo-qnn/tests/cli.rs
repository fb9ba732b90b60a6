//! What the program prints, command by command.

#[test]
fn commands_print_what_their_pages_say() {
    trycmd::TestCases::new()
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_TERM_PROGRESS_WHEN", "never")
        .case("tests/cmd/*.md");
}
