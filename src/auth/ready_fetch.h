// A fetch whose answer is known: it comes from the loop, as all answers do.
#pragma once

#include <memory>

#include "auth/token_source.h"
#include "event/loop.h"

namespace integcov::auth {

std::unique_ptr<Fetch> answer_later(event::Loop& loop, TokenReply reply, TokenSource::Done done);

}  // namespace integcov::auth
