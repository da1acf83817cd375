"""Scores and labels as pure functions of a release's tables; nothing here reads submissions or writes files."""
