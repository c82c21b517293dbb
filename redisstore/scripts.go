package redisstore

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"

	"github.com/redis/rueidis"
)

type program struct {
	text string
	sha  string       // by which the server knows it
	lua  *rueidis.Lua // by its hash, and by its text where the server has forgotten it
}

func newProgram(text string) *program {
	text = places.Replace(text)
	sha := sha1.Sum([]byte(text)) // that is what EVALSHA calls for
	return &program{text, hex.EncodeToString(sha[:]), rueidis.NewLuaScript(text)}
}

// places of the header: string and struct count from 1, GETRANGE and SETRANGE from 0.
var places = strings.NewReplacer("{version}", "2", "{versionend}", "9", "{expiry}", "10", "{times}", "9", "{listed}", "22", "{owner}", "36")

// A script touches one key, so it runs anywhere, also in a Cluster. None is marked as retryable: the
// client must not do twice what may have been done once.
//
// h is the header. Times are compared as numbers, because Lua compares strings by the server's locale.
const (
	head    = "local h = redis.call('GETRANGE', KEYS[1], 0, {owner} - 1)\n"
	gone    = "#h < {owner} or string.byte(h) ~= 1 or struct.unpack('>I6', h, {expiry}) <= tonumber(ARGV[2])"
	another = "string.sub(h, {version}, {versionend}) ~= ARGV[1]"
	ofOwner = "redis.call('GETRANGE', KEYS[1], {owner}, {owner} + string.byte(h, {owner}) - 1)"
)

// Answers of the scripts.
const (
	conflict = iota // gone, or at another version
	done
	unlisted // the owner's index has to know it, or for longer, first
)

func script(body string) *program {
	return newProgram(head + strings.NewReplacer("{gone}", gone, "{another}", another, "{ofowner}", ofOwner).Replace(body))
}

var (
	// value, milliseconds to live
	createScript = newProgram(`
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0`)

	// version, now, value, milliseconds to live; where it has an owner its expiry, the owner, whether it has
	// just been listed
	updateScript = script(`
if {another} or {gone} then return 0 end
local new = ARGV[3]
if ARGV[7] == '' then
  if {ofowner} ~= ARGV[6] or struct.unpack('>I6', h, {listed}) < tonumber(ARGV[5]) then return 2 end
  new = string.sub(new, 1, {listed} - 1) .. string.sub(h, {listed}, {listed} + 5) .. string.sub(new, {listed} + 6)
end
redis.call('SET', KEYS[1], new, 'PX', ARGV[4])
return 1`)

	// version, now, expiry and seen, milliseconds to live, the expiry, until when it is listed from now on
	touchScript = script(`
if {another} or {gone} then return 0 end
if ARGV[6] ~= '' then
  redis.call('SETRANGE', KEYS[1], {listed} - 1, ARGV[6])
elseif string.byte(h, {owner}) > 0 and struct.unpack('>I6', h, {listed}) < tonumber(ARGV[5]) then
  return {2, {ofowner}}
end
redis.call('SETRANGE', KEYS[1], {times}, ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`)

	// version or '', now
	deleteScript = script(`
if #h == 0 then return 1 end
if ARGV[1] ~= '' and {another} and not ({gone}) then return 0 end
local o = ''
if #h >= {owner} and string.byte(h, {owner}) > 0 then o = {ofowner} end
redis.call('DEL', KEYS[1])
return {1, o}`)

	// '', now, owner: deletes it if it is this owner's
	deleteOwnedScript = script(`
if #h >= {owner} and {ofowner} == ARGV[3] then return redis.call('DEL', KEYS[1]) end
return 0`)

	// none: touches it, for WAIT to have something to wait for, and reads it
	reassureScript = newProgram(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('SETRANGE', KEYS[1], 0, string.char(1)) end
return redis.call('GET', KEYS[1])`)

	// now, until when, id: adds it to the owner's sessions, and takes away what has long expired by the
	// clock of the server and of the caller
	listScript = newProgram(`
local t = redis.call('TIME')
local now = math.min(tonumber(ARGV[1]), t[1] * 1000 + math.floor(t[2] / 1000))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - 3600000))
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(tonumber(last[2]) - tonumber(ARGV[1]), 0) + 86400000))
return 1`)

	// none: the owner's fence, raised. Number and time are one value: "number microseconds". It goes after
	// 401 days, when no session that was stamped lower can still be alive.
	raiseScript = newProgram(`
local t = redis.call('TIME')
local micros = t[1] * 1000000 + t[2]
local old = string.match(redis.call('GET', KEYS[1]) or '0', '^%d+')
local fence = string.format('%.0f', math.max(math.floor(micros / 1000), tonumber(old) + 1))
redis.call('SET', KEYS[1], fence .. ' ' .. string.format('%.0f', micros), 'PX', '34646400000')
return fence`)

	// none: everybody's fence, raised, in the same form: a multiple of 2^42 by a number that is at least the
	// hours since 1970. Such a multiple is exact in a number of Lua's. It never goes.
	raiseEveryoneScript = newProgram(`
local t = redis.call('TIME')
local step = 4398046511104
local old = string.match(redis.call('GET', KEYS[1]) or '0', '^%d+')
local fence = string.format('%.0f', math.max(math.floor(t[1] / 3600), math.floor(tonumber(old) / step) + 1) * step)
redis.call('SET', KEYS[1], fence .. ' ' .. string.format('%.0f', t[1] * 1000000 + t[2]))
return fence`)

	// none: the value of the fence, and the server's seconds and microseconds; nothing of what is not there
	fenceScript = newProgram(`
local f = redis.call('GET', KEYS[1])
if not f then return {} end
local t = redis.call('TIME')
return {f, t[1], t[2]}`)
)
