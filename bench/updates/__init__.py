"""Update server: polls, actions and downloads, beside peers."""
