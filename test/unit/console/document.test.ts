import { describe, expect, it } from 'vitest';
import {
  applied,
  formatted,
  isEdited,
  isOlder,
  nothingOpened,
  type Opened,
  opens,
  opensNew,
  typed,
} from '../../../src/console/document.ts';

const key = 'AuthorizationPolicy/shop/web';
const opened: Opened = opens(nothingOpened, { key, saved: 'saved', generation: 3 }, undefined);
const other = opens(opened, { key: 'PeerAuthentication/shop/strict', saved: 's', generation: 1 }, undefined);

describe('what is opened', () => {
  it('is shown anew each time, and as it was left', () => {
    expect(opened).toMatchObject({ text: 'saved', saved: 'saved', generation: 3, version: 1 });
    const draft = { text: 'typed', generation: 2 };
    expect(opens(other, { key, saved: 'saved', generation: 3 }, draft)).toMatchObject({
      text: 'typed',
      saved: 'saved',
      generation: 2,
      version: 3,
    });
    expect(opensNew(opened, draft)).toMatchObject({ key: '', text: 'typed' });
    expect(isEdited(opensNew(opened, undefined))).toBe(false);
  });

  it.each([
    [4, true],
    [3, false],
    // What was just applied counts a moment later.
    [2, false],
    [undefined, false],
  ])('tells whether others have changed what it was made from: %s', (generation, isChanged) => {
    expect(isOlder(opened, generation)).toBe(isChanged);
  });
});

describe('a late answer', () => {
  it('formats the text that was sent and no other', () => {
    expect(formatted(opened, opened, 'formed')).toMatchObject({ text: 'formed', version: 2 });
    const now = typed(opened, 'typed meanwhile');
    expect(formatted(now, opened, 'formed')).toBe(now);
    const alike = { ...other, text: opened.text };
    expect(formatted(alike, opened, 'formed')).toBe(alike);
  });

  const keys = [key];

  it('of what was applied lets stay what was typed meanwhile, as a change of it', () => {
    const sent = typed(opened, 'sent');
    expect(applied(sent, sent, { keys, generation: 4 })).toMatchObject({
      text: 'sent',
      saved: 'sent',
      generation: 4,
      version: 1,
    });
    const now = applied(typed(sent, 'more'), sent, { keys, generation: 4 });
    expect(now).toMatchObject({ text: 'more', saved: 'sent' });
    expect(isEdited(now)).toBe(true);
  });

  it('of what was applied takes nobody from what they have opened since', () => {
    expect(applied(other, typed(opened, 'sent'), { keys, generation: 4 })).toBe(other);
  });

  it('of a removal leaves nothing in the editor', () => {
    const removing = { ...opened, removing: true };
    expect(applied(removing, removing, { keys, generation: 4 })).toMatchObject({ key: '', removing: false });
  });

  it('names what is in the editor by what the text names', () => {
    const fresh = typed(nothingOpened, 'text');
    expect(applied(fresh, fresh, { keys, generation: 1 }).key).toBe(key);
    const renamed = typed(opened, 'text');
    expect(applied(renamed, renamed, { keys: ['a/b/c', 'd/e/f'], generation: 1 }).key).toBe('a/b/c');
    expect(applied(renamed, renamed, { keys: ['a/b/c', key], generation: 1 }).key).toBe(key);
  });
});
