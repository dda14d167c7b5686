/* SPDX-License-Identifier: ISC */
/* What values are: the marks that say it by their address. In a file of its own, because errors are told by values also
 * where there are no promises, and a program without promises is not to link them for the sake of an address. */
#include "gyre/promise.h"

void gyi_value_error(void *ptr) { (void)ptr; }

void gyi_value_borrowed(void *ptr) { (void)ptr; }
