"""The language server: plans in an editor, judged and explained while they are typed."""
