"""Plans and components as tests of pytest."""
