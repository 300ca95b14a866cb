-- As much of DynamoDB as a dump or a load asks for, answered as fast as a client can ask.
--
-- Segment k of T gets the pages k, k + T, ... of a table, and an empty page behind the last. Where
-- pages are repeated R times, T must be a multiple of R: the segments form R groups, and each group
-- gets every page once. Batches are swallowed; tables.json says how.
local path = ...
local cjson = require "cjson"

local function read(name)
  local file = assert(io.open(name, "rb"))
  local content = file:read("*a")
  file:close()
  return content
end

local settings = cjson.decode(read(path))
local log = settings.log and assert(io.open(settings.log, "ab"))
local puts_seen = 0
local empty_page = '{"Count":0,"Items":[],"ScannedCount":0}'

local function send(status, body)
  ngx.status = status
  ngx.header["X-Amz-Crc32"] = ngx.crc32_long(body)
  ngx.header["Content-Length"] = #body
  ngx.print(body)
end

local function refuse(code, message)
  local full = "com.amazonaws.dynamodb.v20120810#" .. code
  send(400, cjson.encode({ __type = full, message = message }))
end

local function named(name)
  local found = settings.tables[name]
  if not found then refuse("ResourceNotFoundException", "no table " .. tostring(name)) end
  return found
end

-- The key of a page's last item, as the index spells it.
local function spell(key, names)
  local values = {}
  for i, name in ipairs(names) do
    local _, value = next(key[name])
    values[i] = value
  end
  return table.concat(values, " ")
end

local operations = {}

function operations.Scan(body)
  local request = cjson.decode(body)
  local source = named(request.TableName)
  if not source then return end
  if #source.crcs == 0 then return send(200, empty_page) end
  local total = request.TotalSegments or 1
  if total % settings.times ~= 0 then
    return refuse("ValidationException", "TotalSegments must be a multiple of " .. settings.times)
  end
  local step = total / settings.times
  local page = (request.Segment or 0) % step
  if type(request.ExclusiveStartKey) == "table" then
    local last = source.index[spell(request.ExclusiveStartKey, source.key)]
    if not last then return refuse("ValidationException", "no page ends with this key") end
    page = last + step
  end
  local crc = source.crcs[page + 1]
  if not crc then return send(200, empty_page) end
  ngx.var.crc = crc
  -- nginx serves files to GET only.
  ngx.req.set_method(ngx.HTTP_GET)
  return ngx.exec(string.format("/pages/%s/%05d.json", source.pages, page))
end

-- Takes every n-th put of all batches out, where some are to stay unprocessed.
local function take_unprocessed(body, every)
  local indices, kept = {}, {}
  for name, puts in pairs(cjson.decode(body).RequestItems) do
    for i, put in ipairs(puts) do
      puts_seen = puts_seen + 1
      if puts_seen % every == 0 then
        kept[name] = kept[name] or {}
        table.insert(kept[name], put)
        table.insert(indices, i - 1)
      end
    end
  end
  return indices, next(kept) and cjson.encode(kept) or "{}"
end

function operations.BatchWriteItem(body)
  local indices, unprocessed = {}, "{}"
  if settings.unprocessedEvery then
    indices, unprocessed = take_unprocessed(body, settings.unprocessedEvery)
  end
  if log then log:write(#body, " ", table.concat(indices, ","), "\n", body, "\n") end
  local capacity = ""
  if body:find('"ReturnConsumedCapacity":"TOTAL"', -64, true) then
    local name = body:match('^{"RequestItems":{"([^"]+)"') or ""
    capacity = string.format(
      '"ConsumedCapacity":[{"CapacityUnits":%d.0,"TableName":"%s"}],',
      math.ceil(#body / 1024), name)
  end
  send(200, "{" .. capacity .. '"UnprocessedItems":' .. unprocessed .. "}")
end

function operations.DescribeTable(body)
  local found = named(cjson.decode(body).TableName)
  if found then send(200, found.description) end
end

function operations.ListTables()
  local names = {}
  for name in pairs(settings.tables) do table.insert(names, name) end
  table.sort(names)
  send(200, cjson.encode({ TableNames = names }))
end

function operations.ListTagsOfResource() send(200, '{"Tags":[]}') end

function operations.DescribeTimeToLive()
  send(200, '{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}')
end

function operations.DescribeContinuousBackups()
  send(200, '{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED",'
    .. '"PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"DISABLED"}}}')
end

local M = {}

function M.answer()
  ngx.req.read_body()
  if settings.latency > 0 then ngx.sleep(settings.latency) end
  local target = ngx.var.http_x_amz_target or ""
  local operation = operations[target:match("^DynamoDB_20120810%.(%w+)$")]
  if not operation then return refuse("UnknownOperationException", "not served: " .. target) end
  operation(ngx.req.get_body_data() or "")
end

function M.close()
  if log then log:close() end
end

return M
