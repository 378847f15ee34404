using System.Diagnostics;
using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Platforms.Kubernetes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

/// <summary>What watching 2,000 applications and their pods costs, on a real API server. Run by name; its figures are in docs/performance.md.</summary>
[Collection(KubeApiPlane.Name)]
public sealed class WatchCost(NodePlane shared, ITestOutputHelper output)
{
    private const int Count = 2_000;
    private const int Writers = 16;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Explicit = true)]
    public async Task TwoThousandApplicationsAndPods_MemoryAndCpu()
    {
        var plane = await shared.PlaneAsync();
        var space = await NodePlane.NewNamespaceAsync(plane);
        await using var gateway = KubeHarness.For(plane.AdminKubeconfig, options => options.Namespaces = [space]);
        await plane.KubectlAsync("", "-n", space, "create", "serviceaccount", "spark");
        var sample = Sample.Of("running");
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => FillAsync(gateway.Api, sample, space, writer)));

        var flavour = AllFlavours.List[0];
        var applications = gateway.Api.Watch(flavour.Kind, null, flavour.Parse);
        var pods = gateway.Api.Watch(ResourceKind.Pods, flavour.PodSelector, pod => DriverPod.Parse(pod, flavour.DriverContainer));
        using var stop = new CancellationTokenSource();
        var (memory, cpu) = (GC.GetTotalMemory(forceFullCollection: true), Process.GetCurrentProcess().TotalProcessorTime);
        var running = Task.WhenAll(applications.RunAsync(stop.Token), pods.RunAsync(stop.Token));
        await gateway.Logs.Seen($"Able to watch {flavour.Kind}");
        await gateway.Logs.Seen("Able to watch pods");
        Say("list", cpu);
        output.WriteLine($"cache: {(GC.GetTotalMemory(forceFullCollection: true) - memory) / 1024.0 / 1024:F1} MiB for {applications.Snapshot.Count} applications and {pods.Snapshot.Count} pods");

        cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var changed = 0;
        applications.Changed += _ => changed++;
        await plane.KubectlAsync("", "-n", space, "label", "sparkapplications", "--all", "n=2");
        Say($"{changed} changes", cpu);
        await stop.CancelAsync();
        await running;
    }

    /// <summary>The caches and the view alone, without a connection and its buffers.</summary>
    [Fact(Explicit = true)]
    public void TwoThousandApplicationsAndPods_WhatIsKeptOfThem()
    {
        var api = new FakeKubeApi();
        var cluster = new ClusterView(api, AllFlavours.List);
        var (applications, pods) = (api.WatchOf<ApplicationView>(AllFlavours.List[0].Kind), api.WatchOf<DriverPod>(ResourceKind.Pods));
        var sample = Sample.Of("running");
        Put(-1);

        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < Count; i++) Put(i);
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;

        output.WriteLine($"kept: {kept / 1024.0 / 1024:F1} MiB, {kept / 2.0 / Count:F0} B for each of {applications.Snapshot.Count} applications and {pods.Snapshot.Count} pods");
        GC.KeepAlive(cluster);

        void Put(int i)
        {
            applications.Put(Sample.Change(sample.ApplicationObject, body => Rename(body, i)));
            pods.Put(Sample.Change(sample.PodObject, body =>
            {
                Rename(body, i);
                body["metadata"]!["uid"] = new Guid(i, 1, 0, new byte[8]).ToString();
                body["metadata"]!["ownerReferences"]![0]!["uid"] = new Guid(i, 0, 0, new byte[8]).ToString();
                body["status"]!["containerStatuses"]![0]!["containerID"] = "containerd://" + new string('0', 64);
            }));
        }

        static void Rename(JsonNode body, int i) => (body["metadata"]!["name"], body["metadata"]!["uid"]) = ($"spark-connect-data-{i:x8}", new Guid(i, 0, 0, new byte[8]).ToString());
    }

    private static async Task FillAsync(IKubeApi api, Sample sample, string space, int writer)
    {
        for (var i = writer; i < Count; i += Writers)
        {
            foreach (var (kind, seen) in new[] { (AllFlavours.List[0].Kind, sample.ApplicationObject), (ResourceKind.Pods, sample.PodObject) })
            {
                var body = JsonNode.Parse(seen.Json.GetRawText())!.AsObject();
                foreach (var name in (string[])["uid", "resourceVersion", "creationTimestamp", "ownerReferences", "generation"]) body["metadata"]!.AsObject().Remove(name);
                (body["metadata"]!["namespace"], body["metadata"]!["name"]) = (space, $"app-{i}");
                (body["apiVersion"], body["kind"]) = (kind.ApiVersion, kind.Kind);
                if (kind == ResourceKind.Pods) body["spec"]!["nodeName"] = "nowhere";
                var made = await api.CreateAsync(kind, body, dryRun: false, Cancellation);
                if (!made.IsOk && !made.Is(KubeFailure.AlreadyExists)) throw new InvalidOperationException(made.Error!.Error.Text);
            }
        }
    }

    private void Say(string what, TimeSpan before) => output.WriteLine($"{what}: {(Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds:F2} s of CPU");
}
