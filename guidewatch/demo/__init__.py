"""The bundled sample web: pages written for this project, served on loopback, with the truth about each."""

from guidewatch.demo.pages import TruePage, truth
from guidewatch.demo.server import SampleWeb, sample_web

__all__ = ["SampleWeb", "TruePage", "sample_web", "truth"]
