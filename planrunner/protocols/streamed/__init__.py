"""Replies that come piece by piece: what protocols with such replies share."""
