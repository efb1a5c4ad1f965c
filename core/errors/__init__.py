"""Every error that Glimt raises on purpose, by area in the files of this folder; all can be imported from here.

GlimtError
├── ConfigurationError          a setting is missing or wrong; the operator must act
├── RequestError                what was asked cannot be done as it stands; the user can change it
│   ├── NotFound
│   │   ├── ModelNotFound       a model that is not served here
│   │   └── QuestionErased      an event came again whose question was erased meanwhile
│   ├── NotAllowed
│   │   ├── NotSignedIn         no key, or a wrong or revoked one
│   │   └── NotServed           an admin has decided who is answered
│   ├── WrongParameter          one named field of a request is wrong
│   ├── RequestTooLarge         more bytes than any request may have
│   ├── RequestTooSlow          its bytes stopped coming
│   ├── TooManyTries            wrong keys, one after another
│   ├── EventKeyReused          one Idempotency-Key for two different requests
│   ├── NotTaken / TakenByAnother   an admin has not taken over, or another one has
│   ├── QuestionTooLong / EmptyQuestion / TooManyPictures
│   ├── QuotaReached            retryable: a limit that an admin has set
│   ├── Busy                    too much is waiting; ask again later
│   └── PictureError            one picture cannot be used
│       ├── PictureTooLarge / PictureTooManyPixels / TooManyPages
│       ├── PictureFormatNotAllowed
│       ├── PictureLocked       a PDF that asks for a password
│       ├── PictureRemoved      a rule of retention has removed it
│       └── PictureBroken
├── PictureReaderUnavailable    retryable: no process could be started to decode pictures
├── StoreError
│   ├── BlobDamaged             a stored picture is no longer what was stored
│   └── LostLease               somebody else owns this turn now; drop the work silently
├── QueueUnavailable            Redis cannot be reached; SQL keeps the work
└── InferenceError
    ├── ModelLoadError
    │   └── HubUnreachable      nothing of the model is here, and the hub does not answer
    ├── PromptTooLong
    │   └── PromptMiscounted    retryable: tokens were estimated too low; counted anew, less is put in
    ├── ModelNotRunning         retryable: the mode asks for a model that no worker runs now
    ├── NoEyes                  the model reads text only, and no other one looks at pictures for it
    ├── LookFailed              retryable: none of the pictures could be looked at
    ├── DeadlineExceeded        the answer took longer than its time limit
    ├── OutOfMemory             retryable
    ├── EngineStopped           retryable: the engine went away under the request
    ├── BackendUnavailable      retryable
    └── ContentRefused          the model's provider does not allow the question or the answer
"""

from core.errors.base import (
    BlobDamaged,
    ConfigurationError,
    GlimtError,
    LostLease,
    QueueUnavailable,
    StoreError,
)
from core.errors.console import NotTaken, TakenByAnother
from core.errors.inference import (
    BackendUnavailable,
    ContentRefused,
    DeadlineExceeded,
    EngineStopped,
    HubUnreachable,
    InferenceError,
    LookFailed,
    ModelLoadError,
    ModelNotRunning,
    NoEyes,
    OutOfMemory,
    PromptMiscounted,
    PromptTooLong,
)
from core.errors.pictures import (
    PictureBroken,
    PictureError,
    PictureFormatNotAllowed,
    PictureLocked,
    PictureReaderUnavailable,
    PictureRemoved,
    PictureTooLarge,
    PictureTooManyPixels,
    TooManyPages,
)
from core.errors.requests import (
    Busy,
    EmptyQuestion,
    EventKeyReused,
    ModelNotFound,
    NotAllowed,
    NotFound,
    NotServed,
    NotSignedIn,
    QuestionErased,
    QuestionTooLong,
    QuotaReached,
    RequestError,
    RequestTooLarge,
    RequestTooSlow,
    TooManyPictures,
    TooManyTries,
    WrongParameter,
)

__all__ = [
    "BackendUnavailable",
    "BlobDamaged",
    "Busy",
    "ConfigurationError",
    "ContentRefused",
    "DeadlineExceeded",
    "EmptyQuestion",
    "EngineStopped",
    "EventKeyReused",
    "GlimtError",
    "HubUnreachable",
    "InferenceError",
    "LookFailed",
    "LostLease",
    "ModelLoadError",
    "ModelNotFound",
    "ModelNotRunning",
    "NoEyes",
    "NotAllowed",
    "NotFound",
    "NotServed",
    "NotSignedIn",
    "NotTaken",
    "OutOfMemory",
    "PictureBroken",
    "PictureError",
    "PictureFormatNotAllowed",
    "PictureLocked",
    "PictureReaderUnavailable",
    "PictureRemoved",
    "PictureTooLarge",
    "PictureTooManyPixels",
    "PromptMiscounted",
    "PromptTooLong",
    "QuestionErased",
    "QuestionTooLong",
    "QueueUnavailable",
    "QuotaReached",
    "RequestError",
    "RequestTooLarge",
    "RequestTooSlow",
    "StoreError",
    "TakenByAnother",
    "TooManyPages",
    "TooManyPictures",
    "TooManyTries",
    "WrongParameter",
]
