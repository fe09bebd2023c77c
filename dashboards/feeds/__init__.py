"""Editions of the summary for the Working Group on Firearms: public, or restricted to those with a need to know."""

from dashboards.feeds.building import EditionRefusedError, build_edition
from dashboards.feeds.edition import Edition
from dashboards.feeds.writing import EditionExistsError, publish_edition, write_edition

__all__ = ["Edition", "EditionExistsError", "EditionRefusedError", "build_edition", "publish_edition", "write_edition"]
