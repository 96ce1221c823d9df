"""The things that the protocols share: the models, the settings, and the way in which rows are scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leapstream.serving import scoring
from leapstream.serving.drift import DriftMonitor
from leapstream.serving.failures import NotReadyError
from leapstream.serving.http import Request
from leapstream.serving.keeper import Keeper
from leapstream.serving.loads import Loads
from leapstream.serving.metrics import Metrics
from leapstream.serving.registry import ModelRegistry, ServedModel
from leapstream.serving.scoring import Answer, OnError
from leapstream.serving.settings import Settings

if TYPE_CHECKING:
    from leapstream.serving.tracing import Spans


@dataclass(frozen=True)
class Context:
    """The things that a protocol needs to make its routes.

    Attributes:
        models: the served models.
        settings: the server's settings.
        keeper: loads and unloads models.
        metrics: what Prometheus scrapes.
        loads: loads models while requests wait.
        drift: counts rows in the bins of profiles.
        spans: makes spans of OpenTelemetry; ``None`` if nobody wants them.
    """

    models: ModelRegistry
    settings: Settings
    keeper: Keeper
    metrics: Metrics
    loads: Loads
    drift: DriftMonitor
    spans: Spans | None = None

    @property
    def most_rows(self) -> int:
        """The number of rows that a request may have."""
        return self.settings.limits.max_rows

    def score(
        self,
        request: Request,
        served: ServedModel,
        records: Sequence[Mapping[str, Any]],
        *,
        outputs: Sequence[str] | None = None,
        on_error: OnError = "raise",
    ) -> list[Answer]:
        """See :func:`leapstream.serving.scoring.score`."""
        return scoring.score(request, served, records, outputs=outputs, on_error=on_error, most=self.most_rows)

    def check_ready(self) -> None:
        """Make sure that every model is loaded.

        Raises:
            NotReadyError: one is not, or the server is about to end.
        """
        if not self.keeper.ready:
            raise NotReadyError("the server is not ready: its models are being loaded, or it is about to end")
