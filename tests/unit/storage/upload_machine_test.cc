// One upload after the other as a story.
#include "storage/gcs/upload_machine.h"

#include "upload_story.h"

namespace integcov::storage::gcs {
namespace {

using namespace std::chrono_literals;

TEST(Multipart, OneRequestStoresASmallFile) {
  Story story(small());
  story.attempt();
  EXPECT_EQ(story.sent(), "multipart 0");
  EXPECT_EQ(std::get<http::FileRange>(story.request().body.at(1)).fd, 7);
  EXPECT_TRUE(story.authorized());
  story.reply(object(9));
  EXPECT_FALSE(story.stored().already_there);
  EXPECT_EQ(story.stored().note, "");
}

TEST(Multipart, AnEmptyFileAndAnAnswerWithoutSize) {
  ObjectSpec empty = small();
  empty.size = 0;
  empty.crc32c = 0;
  Story story(empty);
  story.attempt();
  EXPECT_EQ(story.sent(), "multipart 0");
  story.reply(answer(200, R"({"crc32c":"AAAAAA=="})"));
  EXPECT_FALSE(story.stored().already_there);
}

TEST(Multipart, AnAnswerWithoutChecksumIsTolerated) {
  Story story(small());
  story.attempt();
  story.reply(answer(201, R"({"size":"9"})"));
  EXPECT_FALSE(story.stored().already_there);
}

TEST(Multipart, ANameThatCannotBeStoredIsNotSent) {
  ObjectSpec bad = small();
  bad.name = "\xff";
  Story story(bad);
  story.attempt();
  EXPECT_FALSE(story.failed().retryable);
  EXPECT_EQ(story.failed().reason, "the object name is not valid UTF-8");
}

TEST(Errors, TemporaryOnesAreRetriedAfterTheServersTime) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    Story story(small());
    story.attempt();
    story.reply(answer(status, "busy", {{"Retry-After", "3"}}));
    EXPECT_TRUE(story.failed().retryable) << status;
    EXPECT_EQ(story.failed().retry_after, Duration(3s));
    EXPECT_FALSE(story.failed().progressed);
    EXPECT_EQ(story.failed().reason, "HTTP " + std::to_string(status) + ": busy");
  }
}

TEST(Errors, PermanentOnesAreNot) {
  for (const int status : {302, 308, 403, 409, 413}) {
    Story story(small());
    story.attempt();
    story.reply(answer(status, R"({"error":{"message":"no"}})", {{"Retry-After", "3"}}));
    EXPECT_FALSE(story.failed().retryable) << status;
    EXPECT_EQ(story.failed().retry_after, std::nullopt);
    EXPECT_EQ(story.failed().reason, "HTTP " + std::to_string(status) + ": no");
  }
}

TEST(Errors, AMissingBucketIsNamed) {
  for (const auto& spec : {small(), large()}) {
    Story story(spec);
    story.attempt();
    story.reply(answer(404));
    EXPECT_FALSE(story.failed().retryable);
    EXPECT_EQ(story.failed().reason,
              "bucket \"b\" does not exist or is not visible to these credentials: "
              "HTTP 404: Not Found");
  }
}

TEST(Errors, ForbiddenBecauseTooFastIsTemporary) {
  Story story(small());
  story.attempt();
  story.reply(answer(403, R"({"error":{"errors":[{"reason":"userRateLimitExceeded"}]}})"));
  EXPECT_TRUE(story.failed().retryable);
}

TEST(Errors, ATransportErrorSaysItselfWhetherToRetry) {
  Story story(small());
  story.attempt();
  story.reply(TransportError{.message = "certificate not trusted", .retryable = false});
  EXPECT_FALSE(story.failed().retryable);
  EXPECT_EQ(story.failed().reason, "certificate not trusted");
}

TEST(Errors, AChecksumRefusalHasTheFileReadAgain) {
  Story story(small());
  story.attempt();
  story.reply(answer(400, "Provided CRC32C \"a\" doesn't match calculated CRC32C \"b\"."));
  EXPECT_TRUE(story.failed().retryable);
  EXPECT_EQ(story.failed().reason,
            "the content was corrupted on the way or changed while it was read");
}

TEST(Token, ARefusedOneIsReplacedOnce) {
  Story story(small());
  story.attempt();
  story.reply(answer(401));
  EXPECT_TRUE(story.wants_token());
  story.new_token();
  EXPECT_EQ(story.sent(), "multipart 0");
  story.reply(answer(401, "no such account"));
  EXPECT_FALSE(story.failed().retryable);
  EXPECT_EQ(story.failed().reason, "HTTP 401: no such account");
  story.attempt();
  story.reply(answer(401));
  EXPECT_TRUE(story.wants_token());
}

TEST(Token, ANewOneGoesOnInTheMiddleOfASession) {
  Story story(large(kChunk));
  story.attempt();
  story.reply(location(kSession));
  story.reply(held(kChunk));
  story.reply(answer(401));
  EXPECT_TRUE(story.wants_token());
  story.new_token();
  EXPECT_EQ(story.sent(), "1: bytes 262144-524287/1048576");
}

TEST(Precondition, AnEqualObjectWasThereBefore) {
  Story story(small());
  story.attempt();
  story.reply(answer(412));
  EXPECT_EQ(story.sent(), "look");
  story.reply(object(9));
  EXPECT_TRUE(story.stored().already_there);
  EXPECT_EQ(story.stored().note, "");
}

TEST(Precondition, TheObjectIsOursWhenAnAnswerGotLost) {
  for (const Reply& loss : {Reply(broken()), Reply(answer(503)), Reply(answer(408))}) {
    Story story(small());
    story.attempt();
    story.reply(loss);
    EXPECT_TRUE(story.failed().retryable);
    story.attempt();
    EXPECT_EQ(story.sent(), "multipart 0");
    story.reply(answer(412));
    story.reply(object(9));
    EXPECT_FALSE(story.stored().already_there);
  }
}

TEST(Precondition, ARequestThatWasNeverSentStoredNothing) {
  Story story(small());
  story.attempt();
  story.reply(broken(false));
  story.attempt();
  story.reply(answer(412));
  story.reply(object(9));
  EXPECT_TRUE(story.stored().already_there);
}

TEST(Precondition, ACancelledAttemptMayHaveStoredIt) {
  Story story(small());
  story.attempt();
  story.attempt();
  story.reply(answer(412));
  story.reply(object(9));
  EXPECT_FALSE(story.stored().already_there);
}

TEST(Precondition, OtherContentIsReplacedUnderItsGeneration) {
  Story story(small());
  story.attempt();
  story.reply(answer(412));
  story.reply(other_content(41));
  EXPECT_EQ(story.sent(), "multipart 41");
  story.reply(object(9));
  EXPECT_FALSE(story.stored().already_there);
}

TEST(Precondition, AnEqualChecksumOfAnotherSizeIsOtherContent) {
  Story story(small());
  story.attempt();
  story.reply(answer(412));
  story.reply(object(10));
  EXPECT_EQ(story.sent(), "multipart 11");
}

TEST(Precondition, TheGenerationIsKeptForTheNextAttempt) {
  Story story(small());
  story.attempt();
  story.reply(answer(412));
  story.reply(other_content(41));
  story.reply(answer(503));
  story.attempt();
  EXPECT_EQ(story.sent(), "multipart 41");
}

TEST(Precondition, AnObjectThatChangesAllTheTimeIsLookedAtThreeTimes) {
  Story story(small());
  story.attempt();
  for (int generation = 1; generation <= 3; ++generation) {
    story.reply(answer(412, "conditionNotMet"));
    EXPECT_EQ(story.sent(), "look");
    story.reply(other_content(generation));
    EXPECT_EQ(story.sent(), "multipart " + std::to_string(generation));
  }
  story.reply(answer(412, "conditionNotMet"));
  EXPECT_TRUE(story.failed().retryable);
  EXPECT_EQ(story.failed().reason, "HTTP 412: conditionNotMet");
  story.attempt();
  EXPECT_EQ(story.sent(), "multipart 3");
}

TEST(Precondition, AVanishedObjectIsWrittenAnew) {
  Story story(small());
  story.attempt();
  story.reply(answer(412));
  story.reply(other_content(41));
  story.reply(answer(412));
  story.reply(answer(404));
  EXPECT_EQ(story.sent(), "multipart 0");
}

TEST(Precondition, OtherContentThatMayNotBeReplacedIsPermanent) {
  Story story(small());
  story.attempt();
  story.reply(answer(412));
  story.reply(other_content(41));
  story.reply(answer(403, "no delete"));
  EXPECT_FALSE(story.failed().retryable);
  EXPECT_EQ(story.failed().reason,
            "gs://b/covcounters.1 exists with other content and may not be replaced "
            "(needs storage.objects.delete): HTTP 403: no delete");
}

TEST(Precondition, WithoutPermissionToLookItIsTakenForOursWithANote) {
  for (const auto& spec : {small(), meta(small())}) {
    Story story(spec);
    story.attempt();
    story.reply(answer(412));
    story.reply(answer(403));
    EXPECT_TRUE(story.stored().already_there);
    EXPECT_EQ(story.stored().note, "gs://b/" + spec.name +
                                       " already exists; its content could not be checked "
                                       "(no storage.objects.get permission)");
  }
}

TEST(Precondition, AnotherFileOfThatNameIsNotTakenForOurs) {
  ObjectSpec log = small();
  log.name = "app.log";
  log.unique_name = false;
  Story story(log);
  story.attempt();
  story.reply(answer(412));
  story.reply(answer(403));
  EXPECT_FALSE(story.failed().retryable);
  EXPECT_NE(story.failed().reason.find("gs://b/app.log already exists"), std::string::npos);
}

TEST(Precondition, KnownOtherContentIsNotTakenForOurs) {
  Story story(small());
  story.attempt();
  story.reply(answer(412));
  story.reply(other_content(41));
  story.reply(answer(412));
  story.reply(answer(403, "now hidden"));
  EXPECT_FALSE(story.failed().retryable);
  EXPECT_EQ(story.failed().reason,
            "gs://b/covcounters.1 exists with other content and could not be checked: "
            "HTTP 403: now hidden");
}

TEST(Precondition, EqualSizeWithoutChecksumGetsANote) {
  Story story(small());
  story.attempt();
  story.reply(answer(412));
  story.reply(answer(200, R"({"size":"9","generation":"1"})"));
  EXPECT_TRUE(story.stored().already_there);
  EXPECT_NE(story.stored().note.find("the server has no checksum"), std::string::npos);
}

TEST(Precondition, OtherContentWithoutGenerationCannotBeReplaced) {
  Story story(small());
  story.attempt();
  story.reply(answer(412));
  story.reply(answer(200, R"({"size":"8"})"));
  EXPECT_FALSE(story.failed().retryable);
}

TEST(Look, ItsOwnTroubleEndsTheAttempt) {
  const std::pair<Reply, bool> cases[] = {{answer(503), true},
                                          {answer(429), true},
                                          {broken(), true},
                                          {answer(200, "<html>"), true},
                                          {answer(400), false}};
  for (const auto& [reply, retryable] : cases) {
    Story story(small());
    story.attempt();
    story.reply(answer(412));
    story.reply(reply);
    EXPECT_EQ(story.failed().retryable, retryable);
    story.attempt();
    EXPECT_EQ(story.sent(), "multipart 0");
  }
}

TEST(RateLimit, OfAnObjectThatManyWriteMeansThatOneOfThemDidIt) {
  Story story(meta(small()));
  story.attempt();
  story.reply(answer(429));
  EXPECT_EQ(story.sent(), "look");
  story.reply(object(9));
  EXPECT_TRUE(story.stored().already_there);
}

TEST(RateLimit, IsRetriedWhenTheLookFindsNothingOfOurs) {
  for (const Response& found : {answer(404), answer(403), other_content(3)}) {
    Story story(meta(small()));
    story.attempt();
    story.reply(answer(429, "slow down", {{"Retry-After", "1"}}));
    story.reply(found);
    EXPECT_TRUE(story.failed().retryable);
    EXPECT_EQ(story.failed().retry_after, Duration(1s));
    EXPECT_EQ(story.failed().reason, "HTTP 429: slow down");
    story.attempt();
    EXPECT_EQ(story.sent(), "multipart 0");
  }
}

TEST(Mismatch, WhatTheServerStoredIsLookedAtAndReplaced) {
  Story story(small());
  story.attempt();
  story.reply(object(9, "AAAAAA==", 5));
  EXPECT_EQ(story.sent(), "look");
  story.reply(object(9, "AAAAAA==", 5));
  EXPECT_EQ(story.sent(), "multipart 5");
  story.reply(object(9));
  EXPECT_FALSE(story.stored().already_there);
}

TEST(Mismatch, ThatTheLookDoesNotConfirmIsForgotten) {
  for (const char* body : {"", "null", R"({"size":"4"})"}) {
    Story story(small());
    story.attempt();
    story.reply(answer(200, body));
    EXPECT_EQ(story.sent(), "look");
    story.reply(object(9));
    EXPECT_FALSE(story.stored().already_there);
  }
}

TEST(Mismatch, ThatStaysIsGivenUpForThisAttempt) {
  Story story(small());
  story.attempt();
  for (int i = 0; i < 3; ++i) {
    story.reply(other_content(5));
    story.reply(other_content(5));
  }
  story.reply(other_content(5));
  EXPECT_TRUE(story.failed().retryable);
  EXPECT_EQ(story.failed().reason, "size or checksum of what the server stored is not the file's");
}

TEST(Mismatch, ThatCannotBeLookedAtIsNoSuccess) {
  Story story(small());
  story.attempt();
  story.reply(other_content(5));
  story.reply(answer(403));
  EXPECT_FALSE(story.failed().retryable);
}

TEST(Resumable, ALargeFileGoesInOnePut) {
  Story story(large());
  story.attempt();
  EXPECT_EQ(story.sent(), "start 0");
  story.reply(location(kSession));
  EXPECT_EQ(story.request().url, kSession);
  EXPECT_EQ(story.sent(), "1: bytes 0-1048575/1048576");
  EXPECT_TRUE(story.authorized());
  story.reply(object(kLarge));
  EXPECT_FALSE(story.stored().already_there);
}

TEST(Resumable, OrInChunks) {
  Story story(large(3 * kChunk));
  story.attempt();
  story.reply(location(kSession));
  EXPECT_EQ(story.sent(), "1: bytes 0-786431/1048576");
  story.reply(held(3 * kChunk));
  EXPECT_EQ(story.sent(), "1: bytes 786432-1048575/1048576");
  story.reply(object(kLarge));
  EXPECT_FALSE(story.stored().already_there);
}

TEST(Resumable, GoesOnFromWhatTheServerKept) {
  Story story(large(2 * kChunk));
  story.attempt();
  story.reply(location(kSession));
  story.reply(held(kChunk));
  EXPECT_EQ(story.sent(), "1: bytes 262144-786431/1048576");
}

TEST(Resumable, ASessionWithoutLocationIsAnError) {
  for (const Response& started : {answer(200), location(""), location("ftp://h/")}) {
    Story story(large());
    story.attempt();
    story.reply(started);
    EXPECT_TRUE(story.failed().retryable);
    EXPECT_EQ(story.failed().reason,
              "the server started an upload session without a usable Location");
  }
}

TEST(Resumable, ARelativeLocationIsResolved) {
  Story story(large());
  story.attempt();
  story.reply(location("/upload?upload_id=1"));
  EXPECT_EQ(story.request().url, kSession);
}

TEST(Resumable, ASessionOnAnotherHostGetsNoTokenAndIsNamedInErrors) {
  Story story(large());
  story.attempt();
  story.reply(location("http://0.0.0.0:4443/upload?upload_id=secret"));
  EXPECT_FALSE(story.authorized());
  story.reply(broken());
  EXPECT_EQ(story.failed().reason,
            "connection reset (the server directed the upload to http://0.0.0.0:4443)");
}

TEST(Resumable, TheNextAttemptAsksAndResumes) {
  for (const Reply& loss :
       {Reply(broken()), Reply(answer(503)), Reply(answer(408)), Reply(answer(429))}) {
    Story story(large());
    story.attempt();
    story.reply(location(kSession));
    story.reply(loss);
    EXPECT_TRUE(story.failed().retryable);
    EXPECT_FALSE(story.failed().progressed);
    story.attempt();
    EXPECT_EQ(story.sent(), "1: bytes */1048576");
    story.reply(held(2 * kChunk));
    EXPECT_EQ(story.sent(), "1: bytes 524288-1048575/1048576");
    story.reply(answer(503));
    EXPECT_TRUE(story.failed().progressed);
    story.attempt();
    story.reply(held(2 * kChunk));
    story.reply(answer(503));
    EXPECT_FALSE(story.failed().progressed);
  }
}

TEST(Resumable, ACancelledAttemptIsResumedToo) {
  Story story(large());
  story.attempt();
  story.reply(location(kSession));
  story.attempt();
  EXPECT_EQ(story.sent(), "1: bytes */1048576");
}

TEST(Resumable, TheStatusMayBeThatItIsFinished) {
  Story story(large());
  story.attempt();
  story.reply(location(kSession));
  story.reply(broken());
  story.attempt();
  story.reply(object(kLarge));
  EXPECT_FALSE(story.stored().already_there);
}

TEST(Resumable, NothingKeptSoFarStartsFromTheBeginning) {
  Story story(large());
  story.attempt();
  story.reply(location(kSession));
  story.reply(broken());
  story.attempt();
  story.reply(answer(308));
  EXPECT_EQ(story.sent(), "1: bytes 0-1048575/1048576");
}

TEST(Resumable, AServerThatKeepsNothingEndsTheAttempt) {
  Story story(large());
  story.attempt();
  story.reply(location(kSession));
  story.reply(answer(308));
  EXPECT_TRUE(story.failed().retryable);
  EXPECT_FALSE(story.failed().progressed);
  EXPECT_EQ(story.failed().reason, "the server keeps none of the bytes it is sent");
}

TEST(Resumable, AServerThatKeepsByteByByteEndsTheAttempt) {
  Story story(large());
  story.attempt();
  story.reply(location(kSession));
  std::uint64_t bytes = 0;
  while (story.sent() != "finished" && bytes < 100) story.reply(held(++bytes));
  EXPECT_LT(bytes, 100U);
  EXPECT_TRUE(story.failed().retryable);
  EXPECT_TRUE(story.failed().progressed);
}

TEST(Resumable, ALostSessionIsReplaced) {
  for (const int status : {404, 410, 499}) {
    Story story(large());
    story.attempt();
    story.reply(location(kSession));
    story.reply(answer(status));
    EXPECT_EQ(story.sent(), "start 0");
    story.reply(location(kOther));
    EXPECT_EQ(story.sent(), "2: bytes 0-1048575/1048576");
  }
}

TEST(Resumable, SessionsThatAreLostAgainAndAgainEndTheAttempt) {
  Story story(large());
  story.attempt();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(story.sent(), "start 0");
    story.reply(location(kSession));
    story.reply(answer(410));
  }
  EXPECT_TRUE(story.failed().retryable);
  EXPECT_EQ(story.failed().reason, "the upload session is gone: HTTP 410: Gone");
  story.attempt();
  EXPECT_EQ(story.sent(), "start 0");
}

TEST(Resumable, ARangeThatCannotBeTrueStartsANewSession) {
  const Response cases[] = {answer(308, {}, {{"Range", "bytes=5-9"}}),  // a gap
                            answer(308, {}, {{"Range", "lines=0-9"}}),
                            held(3 * kChunk),  // more than was sent
                            answer(308)};      // less than was confirmed
  for (const Response& wrong : cases) {
    Story story(large(kChunk));
    story.attempt();
    story.reply(location(kSession));
    story.reply(held(kChunk));
    story.reply(wrong);
    EXPECT_EQ(story.sent(), "start 0");
  }
}

TEST(Resumable, AllBytesKeptButNotFinishedIsAskedOnceMore) {
  Story story(large());
  story.attempt();
  story.reply(location(kSession));
  story.reply(held(kLarge));
  EXPECT_EQ(story.sent(), "1: bytes */1048576");
  story.reply(held(kLarge));
  EXPECT_TRUE(story.failed().retryable);
  EXPECT_EQ(story.failed().reason, "the server holds all bytes but does not finish the upload");
  story.attempt();
  EXPECT_EQ(story.sent(), "start 0");
}

TEST(Resumable, APreconditionMayFailAtTheStartOrAtTheEnd) {
  for (const bool at_end : {false, true}) {
    Story story(large());
    story.attempt();
    if (at_end) story.reply(location(kSession));
    story.reply(answer(412));
    EXPECT_EQ(story.sent(), "look");
    story.reply(other_content(8));
    EXPECT_EQ(story.sent(), "start 8");
    story.reply(location(kOther));
    story.reply(object(kLarge));
    EXPECT_FALSE(story.stored().already_there);
  }
}

TEST(Resumable, ALargeObjectOfOurOwnIsRecognisedAfterItsSessionIsGone) {
  Story story(large());
  story.attempt();
  story.reply(location(kSession));
  story.reply(broken());
  story.attempt();
  story.reply(answer(410));
  EXPECT_EQ(story.sent(), "start 0");
  story.reply(answer(412));
  story.reply(object(kLarge));
  EXPECT_FALSE(story.stored().already_there);
}

TEST(Resumable, ARateLimitAtTheEndLeavesTheSessionToTheNextAttempt) {
  Story story(meta(large()));
  story.attempt();
  story.reply(location(kSession));
  story.reply(answer(429));
  EXPECT_EQ(story.sent(), "look");
  story.reply(answer(404));
  EXPECT_TRUE(story.failed().retryable);
  story.attempt();
  EXPECT_EQ(story.sent(), "1: bytes */1048576");
}

TEST(Resumable, ARefusedSessionIsForgotten) {
  Story story(large());
  story.attempt();
  story.reply(location(kSession));
  story.reply(answer(400, "Provided CRC32C \"a\" doesn't match calculated CRC32C \"b\"."));
  EXPECT_TRUE(story.failed().retryable);
  story.attempt();
  EXPECT_EQ(story.sent(), "start 0");
}

TEST(Errors, ABadRequestMayOnceBeADamagedOne) {
  Story story(small());
  story.attempt();
  story.reply(answer(400, "Malformed multipart body."));
  EXPECT_TRUE(story.failed().retryable);
  story.attempt();
  story.reply(answer(400, "Malformed multipart body."));
  EXPECT_FALSE(story.failed().retryable);
}

TEST(Errors, ABadRequestIsLookedIntoWhenAnEarlierOneMayHaveStored) {
  Story story(small());
  story.attempt();
  story.reply(answer(500));
  for (int damaged = 0; damaged < 2; ++damaged) {
    story.attempt();
    story.reply(answer(400, "Malformed multipart body."));
  }
  EXPECT_EQ(story.sent(), "look");
  story.reply(object(9));
  EXPECT_FALSE(story.stored().already_there);
}

// --- connections and limits ---------------------------------------------------------------------

TransportError stale() {
  return {.message = "closed", .retryable = true, .maybe_sent = true, .reused_connection = true};
}

TEST(Connections, AStaleOneIsReplacedAtOnce) {
  Story story(small());
  story.attempt();
  EXPECT_FALSE(story.request().fresh_connection);
  story.reply(stale());
  EXPECT_EQ(story.sent(), "multipart 0");
  EXPECT_TRUE(story.request().fresh_connection);
  story.reply(answer(412));  // the first one had arrived
  EXPECT_FALSE(story.request().fresh_connection);
  story.reply(object(9));
  EXPECT_FALSE(story.stored().already_there) << "it was us";
}

TEST(Connections, InASessionTheServerIsAskedWhatItGot) {
  Story story(large());
  story.attempt();
  story.reply(stale());
  EXPECT_EQ(story.sent(), "start 0");
  story.reply(location(kSession));
  story.reply(stale());
  EXPECT_EQ(story.sent(), "1: bytes */1048576");
  EXPECT_TRUE(story.request().fresh_connection);
  story.reply(held(kChunk));
  EXPECT_EQ(story.sent(), "1: bytes 262144-1048575/1048576");
}

TEST(Connections, NotEveryOneIsStale) {
  Story story(small());
  story.attempt();
  for (int i = 0; i < 3; ++i) story.reply(stale());
  EXPECT_EQ(story.sent(), "multipart 0");
  story.reply(stale());
  EXPECT_TRUE(story.failed().retryable) << "now with a wait";
}

TEST(Connections, WhoIsTooSlowForTheShortLimitsGetsLongerOnes) {
  Story story(small());
  const TransportError slow{.message = "no answer", .timed_out = true};
  std::vector<Duration> limits;
  for (int i = 0; i < 6; ++i) {
    story.attempt();
    limits.push_back(story.request().answer_timeout);
    story.reply(slow);
  }
  EXPECT_EQ(limits, (std::vector<Duration>{3s, 3s, 6s, 6s, 12s, 12s}));
}

TEST(Connections, ASessionOnAHostThatCannotBeReachedIsForgottenAtOnce) {
  Story story(large());
  story.attempt();
  story.reply(location("http://0.0.0.0:4443/upload?upload_id=2"));
  story.reply(broken(false));
  EXPECT_NE(story.failed().reason.find("directed the upload to http://0.0.0.0:4443"),
            std::string::npos);
  story.attempt();
  EXPECT_EQ(story.sent(), "start 0");
}

TEST(Connections, ASessionThatFailsForEverIsGivenUp) {
  Story story(large());
  story.attempt();
  story.reply(location(kSession));
  for (int i = 1; i < 4; ++i) {
    story.reply(answer(503));
    EXPECT_TRUE(story.failed().retryable);
    story.attempt();
    EXPECT_EQ(story.sent(), "1: bytes */1048576");
    story.reply(answer(308));
    EXPECT_EQ(story.sent(), "1: bytes 0-1048575/1048576");
  }
  story.reply(answer(503));
  story.attempt();
  EXPECT_EQ(story.sent(), "start 0");
}

// --- a large file that others may have stored ---------------------------------------------------

ObjectSpec shared_large() {
  ObjectSpec spec = meta(large());
  spec.look_first = true;
  return spec;
}

TEST(LookFirst, WhatIsThereIsNotSent) {
  Story story(shared_large());
  story.attempt();
  EXPECT_EQ(story.sent(), "look");
  story.reply(object(kLarge));
  EXPECT_TRUE(story.stored().already_there);
}

TEST(LookFirst, WhateverTheAnswerElseTheFileIsSent) {
  for (const Response& nothing : {answer(404), answer(403), answer(400), answer(200, "?")}) {
    Story story(shared_large());
    story.attempt();
    story.reply(nothing);
    EXPECT_EQ(story.sent(), "start 0");
  }
  Story story(shared_large());
  story.attempt();
  story.reply(answer(503));
  EXPECT_TRUE(story.failed().retryable);
  story.attempt();
  EXPECT_EQ(story.sent(), "look");
  story.reply(object(kLarge, "AAAAAA==", 12));
  EXPECT_EQ(story.sent(), "start 12") << "damaged: replaced";
}

TEST(LookFirst, ALostSessionMayMeanThatAnotherWriterHasFinished) {
  Story story(shared_large());
  story.attempt();
  story.reply(answer(404));
  story.reply(location(kSession));
  story.reply(answer(410));
  EXPECT_EQ(story.sent(), "look");
  story.reply(answer(404));
  EXPECT_EQ(story.sent(), "start 0");
  story.reply(location(kOther));
  story.reply(answer(410));
  story.reply(object(kLarge));
  EXPECT_EQ(story.stored().note, "");
}

}  // namespace
}  // namespace integcov::storage::gcs
