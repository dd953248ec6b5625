#include "process/identity.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "unit/process/helper.h"

namespace integcov::process {
namespace {

TEST(Identity, StaysTheSame) {
  const auto self = identify(getpid());
  ASSERT_TRUE(self);
  EXPECT_EQ(self->pid, getpid());
  EXPECT_GT(self->start_time, 0U);
  EXPECT_FALSE(self->image.empty());
  EXPECT_EQ(identify(getpid()), self);
}

TEST(Identity, AForkHasNoneBeforeItExecutes) {
  Helper helper;
  EXPECT_FALSE(identify(helper.pid()));
  helper.exec_cat();
  const auto identity = identify(helper.pid());
  ASSERT_TRUE(identity);
  EXPECT_NE(identity->image, identify(getpid())->image);
}

TEST(Identity, AProcessThatIsGoneHasNone) {
  Helper helper;
  helper.exec_cat();
  const pid_t pid = helper.pid();
  ASSERT_TRUE(identify(pid));
  helper.die();
  EXPECT_FALSE(identify(pid));
  helper.end();
  EXPECT_FALSE(identify(pid));
}

}  // namespace
}  // namespace integcov::process
