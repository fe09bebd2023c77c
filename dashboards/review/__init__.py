"""The review app: where analysts see the items and decide."""

from dashboards.review.app import make_app, sign_in_url
from dashboards.review.serving import ReviewServer, serve

__all__ = ["ReviewServer", "make_app", "serve", "sign_in_url"]
