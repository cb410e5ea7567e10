/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RELAXED_H
#define SG_RELAXED_H

/*
 * relaxed: a sanitizer's runtime reads the whole machine for its reports,
 * starts processes, and traces its own.  A build with one therefore allows each
 * system call that syscalls.c does not name as forbidden, the reading of any
 * file, and swap.  Such a build is for tests only.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_RELAXED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
	__has_feature(memory_sanitizer)
#define SANDBOX_RELAXED 1
#endif
#endif
#ifndef SANDBOX_RELAXED
#define SANDBOX_RELAXED 0
#endif

#endif /* SG_RELAXED_H */
