/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <signal.h>
#include <stdlib.h>

#include "fuzz/eb-fuzz.h"

/* What the fuzzing engine is told before it begins. */

static void
trapped (int number)
{
  abort ();
}

/* A critical message is a trap, which libFuzzer does not know: it would keep no input. */
int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  signal (SIGTRAP, trapped);
  return 0;
}
