// Newer versions of an object of our own, as stories.
#include "storage/gcs/upload_machine.h"
#include "upload_story.h"

namespace integcov::storage::gcs {
namespace {

ObjectSpec newer(ObjectSpec spec, std::uint64_t generation) {
  spec.replaces = true;
  spec.generation = generation;
  return spec;
}

TEST(Replacing, IsOneRequestUnderTheGenerationOfTheLastVersion) {
  Story story(newer(small(), 11));
  story.attempt();
  EXPECT_EQ(story.sent(), "multipart 11");
  story.reply(object(9, "4waSgw==", 12));
  EXPECT_FALSE(story.stored().already_there);
  EXPECT_EQ(story.generation(), 12U);
}

TEST(Replacing, ALargeOneHasASessionUnderThatGeneration) {
  Story story(newer(large(), 11));
  story.attempt();
  EXPECT_EQ(story.sent(), "start 11");
  story.reply(location(kSession));
  EXPECT_EQ(story.sent(), "1: bytes 0-1048575/1048576");
  story.reply(object(kLarge, "4waSgw==", 12));
  EXPECT_EQ(story.stored().note, "");
  EXPECT_EQ(story.generation(), 12U);
}

TEST(Replacing, BeginsWithALookWhereTheGenerationIsNotKnown) {
  Story story(newer(small(), 0));
  story.attempt();
  EXPECT_EQ(story.sent(), "look");
  story.reply(other_content(31));
  EXPECT_EQ(story.sent(), "multipart 31");
  story.reply(object(9));
  EXPECT_FALSE(story.stored().already_there);
}

TEST(Replacing, TheLookMayShowThatItIsThereOrThatNothingIs) {
  Story there(newer(small(), 0));
  there.attempt();
  there.reply(object(9, "4waSgw==", 31));
  EXPECT_TRUE(there.stored().already_there);
  EXPECT_EQ(there.generation(), 31U);

  Story nothing(newer(small(), 0));
  nothing.attempt();
  nothing.reply(answer(404));
  EXPECT_EQ(nothing.sent(), "multipart 0");
}

TEST(Replacing, AnotherGenerationThatHasTheNewContentIsOurs) {
  Story story(newer(small(), 11));
  story.attempt();
  story.reply(broken());
  EXPECT_TRUE(story.failed().retryable);
  story.attempt();
  EXPECT_EQ(story.sent(), "multipart 11");
  story.reply(answer(412));
  EXPECT_EQ(story.sent(), "look");
  story.reply(object(9, "4waSgw==", 12));
  EXPECT_FALSE(story.stored().already_there);
  EXPECT_EQ(story.generation(), 12U);
}

TEST(Replacing, AnotherGenerationWithOtherContentIsReplaced) {
  Story story(newer(small(), 11));
  story.attempt();
  story.reply(answer(412));
  story.reply(other_content(12));
  EXPECT_EQ(story.sent(), "multipart 12");
  story.reply(object(9, "4waSgw==", 13));
  EXPECT_EQ(story.generation(), 13U);
}

TEST(Replacing, WhatHasGoneIsWrittenAnew) {
  Story story(newer(small(), 11));
  story.attempt();
  story.reply(answer(412));
  story.reply(answer(404));
  EXPECT_EQ(story.sent(), "multipart 0");
}

TEST(Replacing, WithoutPermissionToDeleteItCannotBe) {
  Story story(newer(small(), 11));
  story.attempt();
  story.reply(answer(403, "no storage.objects.delete access"));
  EXPECT_FALSE(story.failed().retryable);
  EXPECT_TRUE(story.failed().may_not_replace);
  EXPECT_EQ(story.failed().reason,
            "gs://b/covcounters.1 exists with other content and may not be replaced (needs "
            "storage.objects.delete): HTTP 403: no storage.objects.delete access");
}

TEST(Replacing, TooFastIsAnotherForbidden) {
  Story story(newer(small(), 11));
  story.attempt();
  story.reply(answer(403, R"({"error":{"errors":[{"reason":"rateLimitExceeded"}]}})"));
  EXPECT_TRUE(story.failed().retryable);
  EXPECT_FALSE(story.failed().may_not_replace);
}

TEST(Replacing, WhatCannotBeLookedAtMayBeAnOlderVersion) {
  Story story(newer(small(), 0));
  story.attempt();
  EXPECT_EQ(story.sent(), "look");
  story.reply(answer(403));
  EXPECT_EQ(story.sent(), "multipart 0") << "perhaps there is none";
  story.reply(answer(412));
  EXPECT_EQ(story.sent(), "look");
  story.reply(answer(403));
  EXPECT_FALSE(story.failed().retryable);
  EXPECT_TRUE(story.failed().may_not_replace);
}

TEST(Replacing, ALostAnswerIsNoProofEither) {
  Story story(newer(small(), 11));
  story.attempt();
  story.reply(broken());
  story.attempt();
  story.reply(answer(412));
  story.reply(answer(403));
  EXPECT_TRUE(story.failed().may_not_replace);
}

TEST(Replacing, EqualSizeWithoutChecksumIsNoProofEither) {
  Story story(newer(small(), 0));
  story.attempt();
  story.reply(answer(200, R"({"size":"9","generation":"31"})"));
  EXPECT_EQ(story.sent(), "multipart 31");
}

TEST(Replacing, AnAnswerWithoutGenerationLeavesItUnknown) {
  Story story(newer(small(), 11));
  story.attempt();
  story.reply(answer(200, R"({"size":"9","crc32c":"4waSgw=="})"));
  EXPECT_EQ(story.stored().note, "");
  EXPECT_EQ(story.generation(), 0U);
}

}  // namespace
}  // namespace integcov::storage::gcs
