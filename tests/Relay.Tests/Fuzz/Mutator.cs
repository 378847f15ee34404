using SparkGateway.Relay.Tests.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Fuzz;

/// <summary>Changes a conversation: whole frames, their heads, single bytes, and the order of what is said.</summary>
internal static class Mutator
{
    private static readonly uint[] Telling = [0, 1, 5, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 16_384, 65_535, 65_536];

    public static Conversation Change(Conversation from, Random random)
    {
        var lines = from.Lines.Select(line => (line.Who, Bytes: line.Bytes.ToArray())).ToList();
        for (var n = random.Next(1, 6); n > 0; n--)
        {
            var at = random.Next(lines.Count);
            var line = lines[at];
            switch (random.Next(10))
            {
                case 0: lines.Insert(random.Next(lines.Count), line); break;
                case 1 when lines.Count > 1: lines.RemoveAt(at); break;
                case 2: lines.Insert(at, ((Speaker)random.Next(5), line.Bytes)); break;
                case 3: lines[at] = (line.Who, Raw(line.Bytes, random)); break;
                default: lines[at] = (line.Who, Frames(line.Bytes, random)); break;
            }
        }

        return new Conversation(lines);
    }

    private static byte[] Raw(byte[] bytes, Random random)
    {
        if (bytes.Length == 0) return bytes;
        var at = random.Next(bytes.Length);
        var end = random.Next(at, Math.Min(bytes.Length, at + 40) + 1);
        switch (random.Next(4))
        {
            case 0: bytes[at] ^= (byte)(1 << random.Next(8)); return bytes;
            case 1: bytes[at] = (byte)random.Next(256); return bytes;
            case 2: return [.. bytes[..at], .. bytes[end..]];
            default: return [.. bytes[..end], .. bytes[at..]];
        }
    }

    private static byte[] Frames(byte[] bytes, Random random)
    {
        var hello = bytes.AsSpan().StartsWith(Wire.Preface);
        if (!IsFrames(hello ? bytes[Wire.PrefaceBytes..] : bytes)) return Raw(bytes, random);
        var frames = Wire.Parse(bytes);
        if (frames.Count == 0) return bytes;
        var at = random.Next(frames.Count);
        var frame = frames[at];
        switch (random.Next(9))
        {
            case 0: frames.Insert(random.Next(frames.Count), frame); break;
            case 1: frames.RemoveAt(at); break;
            case 2: frames[at] = frame with { Flags = (byte)(frame.Flags ^ (1 << random.Next(8))) }; break;
            case 3: frames[at] = frame with { StreamId = random.Next(8) }; break;
            case 4: frames[at] = frame with { Type = (FrameType)random.Next(12) }; break;
            case 5: frames[at] = frame with { Payload = Raw(frame.Payload.ToArray(), random) }; break;
            case 6: frames.Insert(at, Frame.WindowUpdate(random.Next(6), Telling[random.Next(Telling.Length)])); break;
            case 7: frames.Insert(at, Frame.Settings(new Setting((SettingId)random.Next(8), Telling[random.Next(Telling.Length)]))); break;
            default: frames.Insert(at, Frame.Reset(random.Next(8), (uint)random.Next(14))); break;
        }

        return [.. hello ? Wire.Preface : [], .. Wire.Bytes(frames)];
    }

    private static bool IsFrames(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= FrameHeader.Size && bytes.Length >= FrameHeader.Size + FrameHeader.Read(bytes).Length) bytes = bytes[(FrameHeader.Size + FrameHeader.Read(bytes).Length)..];
        return bytes.IsEmpty;
    }
}
