/* SPDX-License-Identifier: ISC */
/* The last resort: one line on standard error. */
#ifndef GYI_SYS_REPORT_H
#define GYI_SYS_REPORT_H

/* Writes `line` and a line feed to standard error. Any thread. What cannot be written is lost: there is nobody left to
 * tell. */
void gyi_report(const char *line);

#endif
