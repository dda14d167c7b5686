# SPDX-License-Identifier: ISC
"""The tables, the verdicts and the chart of run.py. Takes what was measured and measures nothing itself.

Results are {mode: {row: {contender: {'median': number, ...}}}}. "Best peer" is the best of the libraries among the
contenders: neither gyre, nor its callbacks, nor the hand-written program, nor Node.
"""
from xml.sax.saxutils import escape

PEERS = ('libuv', 'libev', 'libevent')
TITLES = {
    'instructions': 'User-space instructions per operation',
    'syscalls': 'System calls per operation',
    'time': 'Time and sizes (medians; ns per operation unless the name says otherwise)',
}
COLOURS = {'gyre': '#c2410c', 'callbacks': '#f59e0b', 'libuv': '#64748b', 'libev': '#94a3b8', 'libevent': '#cbd5e1',
           'hand': '#0f766e', 'node': '#65a30d'}


def value(cells, who):
    """The number of a contender or of the best peer; None when it was not measured."""
    if who == 'best peer':
        found = [cells[p]['median'] for p in PEERS if p in cells]
        return min(found) if found else None
    return cells[who]['median'] if who in cells else None


def limit_of(target, cells):
    """What the target comes to in this run, and in words."""
    if 'at_most' in target:
        return target['at_most'], f'at most {target["at_most"]:g}'
    base = value(cells, target['of'])
    if base is None:
        return None, None
    if 'times' in target:
        return base * target['times'], f'at most {target["times"]:g} of {target["of"]}'
    return base + target['plus'], f'at most {target["plus"]:g} more than {target["of"]}'


def measured(target, cells):
    """gyre's number: the whole, or only the system calls that the target counts."""
    cell = cells.get('gyre')
    if cell is None:
        return None
    if 'counting' in target:
        return sum(cell.get('by_name', {}).get(name, 0) for name in target['counting'])
    return cell['median']


def judge(results, targets):
    """One verdict for each target that was measured."""
    verdicts = []
    for mode, rows in targets.items():
        for row, target in rows.items():
            cells = results.get(mode, {}).get(row)
            if not cells:
                continue
            got = measured(target, cells)
            limit, words = limit_of(target, cells)
            if got is None or limit is None:
                continue
            # Two sizes differ by a few calls of start-up now and then, hence the tiny allowance for counts.
            met = got <= limit + (0.005 if mode == 'syscalls' else 0)
            verdicts.append({'mode': mode, 'row': row, 'got': got, 'limit': limit, 'words': words, 'met': met})
    return verdicts


def number(x):
    if x is None:
        return ''
    if x == int(x) or abs(x) >= 100:
        return f'{x:.0f}'
    return f'{x:.1f}' if abs(x) >= 10 else f'{x:.2f}'


def ratio(cells, who):
    mine, theirs = value(cells, 'gyre'), value(cells, who)
    return '' if mine is None or not theirs else f'{mine / theirs:.2f}'


def verdict_text(verdict):
    if verdict is None:
        return ''
    if verdict['met']:
        return f'met: {verdict["words"]}'
    over = f'{verdict["got"] / verdict["limit"]:.2f} times that' if verdict['limit'] > 0 else number(verdict['got'])
    return f'MISSED: {verdict["words"]} ({number(verdict["limit"])}), is {over}'


def table(rows, verdicts):
    contenders = [c for c in COLOURS if any(c in cells for cells in rows.values())]
    head = ['', *contenders, '/peer', '/hand', 'target']
    lines = [head]
    for row, cells in rows.items():
        lines.append([row, *(number(value(cells, c)) for c in contenders),
                      ratio(cells, 'best peer'), ratio(cells, 'hand'), verdict_text(verdicts.get(row))])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    out = []
    for line in lines:
        numbers = [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1])]
        out.append('  '.join([line[0].ljust(widths[0]), *numbers, line[-1]]).rstrip())
    return '\n'.join(out)


def text(results, verdicts, load):
    parts = []
    for mode, rows in results.items():
        if not rows:
            continue
        of_mode = {v['row']: v for v in verdicts if v['mode'] == mode}
        parts.append(f'{TITLES[mode]}\n{"-" * len(TITLES[mode])}\n{table(rows, of_mode)}')
    missed = [v for v in verdicts if not v['met']]
    parts.append(f'/peer: gyre against the best of libuv, libev, libevent. /hand: against hand-written code. '
                 f'Load {load[0]:.1f}.\n{len(verdicts) - len(missed)} of {len(verdicts)} targets met'
                 + (': missed are ' + ', '.join(f'{v["mode"]} {v["row"]}' for v in missed) if missed else '') + '.')
    return '\n\n'.join(parts)


# ---- chart -----------------------------------------------------------------------------------------------------------

BAR, GAP, LEFT, WIDTH = 11, 12, 190, 640
CUT = 4.0  # a bar ends at four times gyre; the number beside it says the rest


def bars(row, cells, top):
    """One group of bars: each contender's number as a multiple of gyre's."""
    mine = value(cells, 'gyre')
    out = [f'<text x="{LEFT - 10}" y="{top + BAR}" text-anchor="end" class="row">{escape(row)}</text>']
    for contender, colour in COLOURS.items():
        x = value(cells, contender)
        if x is None:
            continue
        length = max(1.0, min(x / mine, CUT) * WIDTH / CUT)
        name = f'{contender} {number(x)}' + (f' (x{x / mine:.1f})' if contender != 'gyre' else '')
        out.append(f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR - 1}" fill="{colour}"/>'
                   f'<text x="{LEFT + length + 5:.1f}" y="{top + BAR - 2}">{escape(name)}</text>')
        top += BAR
    return out, top + GAP


def chart(results):
    """All rows in which gyre has a number and somebody to compare with; shorter is better."""
    body, top = [], 46
    for mode, rows in results.items():
        groups = [(r, c) for r, c in rows.items() if len(c) > 1 and value(c, 'gyre')]
        if not groups:
            continue
        body.append(f'<text x="10" y="{top}" class="head">{escape(TITLES[mode])}</text>')
        top += 14
        for row, cells in groups:
            drawn, top = bars(row, cells, top)
            body += drawn
        top += 24
    total = LEFT + WIDTH + 150
    style = ('text{font:9px sans-serif;fill:#334155}.row{font-size:11px}.head{font-size:13px;font-weight:bold}'
             '.title{font-size:16px;font-weight:bold}')
    line = LEFT + WIDTH / CUT
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{top}" viewBox="0 0 {total} {top}">',
        f'<style>{style}</style><rect width="100%" height="100%" fill="#fff"/>',
        '<text x="10" y="22" class="title">gyre and its peers: shorter is better, gyre is 1</text>',
        f'<line x1="{line}" y1="52" x2="{line}" y2="{top - 20}" stroke="#fdba74" stroke-dasharray="3 3"/>',
        *body, '</svg>', ''])
