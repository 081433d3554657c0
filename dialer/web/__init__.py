"""The shell of the console: rendering, sign-in state, permissions, words, figures behind pages."""
