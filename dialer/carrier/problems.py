"""Refusals of the REST front, in Twilio's words and codes. None of them repeats the caller's data."""

from __future__ import annotations


class RestProblem(Exception):
    """An error answer: HTTP `status`, Twilio's `code`, one line. `retry_after_seconds` becomes the header."""

    def __init__(
        self, *, status: int, code: int, message: str, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_seconds = retry_after_seconds

    def body(self) -> dict[str, object]:
        """The JSON object that the official client reads into its exception."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


_NUMBER_REFUSALS = {
    21211: "The 'To' number is not a valid phone number.",
    21214: "'To' number cannot be reached",
    21215: "Account not authorized to call this number",
    21216: "Account not allowed to call this number",
    21217: "Phone number does not appear to be valid",
    13224: "Dial: the number is not valid or is blocked",
    21610: "The message From/To pair violates a blacklist rule",
}


def no_such(what: str) -> RestProblem:
    return RestProblem(status=404, code=20404, message=f"The requested {what} was not found")


def unauthorised() -> RestProblem:
    return RestProblem(status=401, code=20003, message="Authenticate")


def too_many(retry_after_seconds: float | None) -> RestProblem:
    """Twilio's 429: the request was not processed and may safely be sent again."""
    return RestProblem(
        status=429, code=20429, message="Too Many Requests", retry_after_seconds=retry_after_seconds
    )


def server_error() -> RestProblem:
    return RestProblem(status=500, code=20500, message="Internal Server Error")


def bad_parameter(code: int, message: str) -> RestProblem:
    return RestProblem(status=400, code=code, message=message)


def number_refused(code: int) -> RestProblem:
    """The number's own fault (21211 and its kin)."""
    return bad_parameter(code, _NUMBER_REFUSALS.get(code, _NUMBER_REFUSALS[21211]))
