"""The client of a consumer: HTTP, files or standard output, by the consumer's URL; with a statement log if the consumer has
``log``."""

from __future__ import annotations

from pathlib import Path

from edx2lrs.io.delivery.consumer_sender import Client
from edx2lrs.io.delivery.credentials import RenewedCredentials
from edx2lrs.io.delivery.decision import Answer
from edx2lrs.io.delivery.lrs import LrsClient
from edx2lrs.io.delivery.statement_files import StandardOutput, StatementFiles, is_place
from edx2lrs.io.delivery.statement_log import StatementLog
from edx2lrs.io.secrets import resolve
from edx2lrs.transforms.config_types import Config, Consumer


class Clients:
    """Makes the clients of all consumers, one for each thread."""

    def __init__(self, config: Config, log_folder: Path) -> None:
        """``log_folder``: for statement logs without a place of their own. Raises ``SecretError``."""
        self._credentials = {consumer.name: RenewedCredentials(consumer, resolve) for consumer in config.consumers}
        self._logs = {consumer.name: StatementLog(consumer, log_folder) for consumer in config.consumers if consumer.log}
        self._root_url = config.lms.root_url

    def __call__(self, consumer: Consumer) -> Client:
        client = self._client(consumer)
        log = self._logs.get(consumer.name)
        return client if log is None else LoggedClient(client, log)

    def _client(self, consumer: Consumer) -> Client:
        if is_place(consumer.url):
            return StandardOutput() if consumer.url.startswith("stdout:") else StatementFiles(consumer)
        renewed = self._credentials[consumer.name]
        return LrsClient(consumer, renewed(), consumer.sensor or self._root_url, renewed)


class LoggedClient:
    """A client whose accepted batches are logged before they are settled. After a kill in between, a batch is logged twice."""

    def __init__(self, client: Client, log: StatementLog) -> None:
        self._client = client
        self._log = log.use()

    def post(self, lines: bytes) -> Answer:
        answer = self._client.post(lines)
        if answer.is_stored:
            self._log.write(lines)
        return answer

    def close(self) -> None:
        """Close the client. The last client of a consumer also closes the log."""
        self._client.close()
        self._log.close()
