"""The review app: server-rendered, keyboard-first, loopback by default."""
