using SparkGateway.Domain;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Diagnosis;

public sealed class StartDiagnosisTests
{
    /// <summary>Sample, whether it passes, code, blame, and what the text must say.</summary>
    public static TheoryData<string, string, ErrorCode, Blame, string[]> Troubles => new()
    {
        { "unschedulable", "Unschedulable", ErrorCode.StartFailed, Blame.Cluster, ["no node of the cluster takes its pod (0/1 nodes are available: 1 Insufficient cpu.", "For the team that runs the cluster: add room", "FailedScheduling: 0/1 nodes", "pod spark-connect-data-unsched-driver"] },
        { "image-pull", "Image", ErrorCode.StartFailed, Blame.Gateway, ["image spark:1 cannot be pulled (ErrImagePull: failed to pull and unpack", "For the team that runs this gateway: correct image or image_pull_secrets in kubernetes.profiles[default]", "on node node-1"] },
        { "image-unknown", "Image", ErrorCode.StartFailed, Blame.Gateway, ["image nosuch:1 cannot be pulled (ImagePullBackOff"] },
        { "secret-missing", "Configuration", ErrorCode.StartFailed, Blame.Gateway, ["CreateContainerConfigError: secret \"spark-connect-data-config\" not found", "must be in namespace sjns-data-control"] },
        { "crash", "Final", ErrorCode.StartFailed, Blame.Driver, ["ended with code 7 before it was ready", "the log below says why", "The last lines of its log:\nBoom"] },
        { "oom", "Final", ErrorCode.StartFailed, Blame.Driver, ["killed because it used more memory than its pod has (OOMKilled, code 137)", "raise driver_memory or driver_memory_overhead in kubernetes.profiles[default]"] },
        { "driver-timeout", "Final", ErrorCode.StartFailed, Blame.Driver, ["ended by spark.driver.timeout (code 124)"] },
        { "done", "Final", ErrorCode.StartFailed, Blame.Driver, ["ended with code 0", "must wait for ever"] },
        { "sidecar-outlives", "Final", ErrorCode.StartFailed, Blame.Driver, ["ended with code 3"] },
        { "evicted", "Final", ErrorCode.StartFailed, Blame.Cluster, ["the cluster ended its pod (Evicted: The node was low on resource: memory.", "For you: call getOrCreate() again"] },
        { "connect-evicted", "Final", ErrorCode.StartFailed, Blame.Cluster, ["Evicted", "SparkConnect sjns-data-control/spark-connect-data-cr-evict is NotReady"] },
        { "connect-crash", "Final", ErrorCode.StartFailed, Blame.Driver, ["ended with code 5"] },
        { "connect-crash-loop", "Final", ErrorCode.StartFailed, Blame.Driver, ["ended with code 5"] },
        { "node-lost", "Final", ErrorCode.StartFailed, Blame.Cluster, ["its node node-1 went away", "on node node-1"] },
        { "pod-deleted", "Final", ErrorCode.StartFailed, Blame.Cluster, ["its pod was deleted by somebody, or with its node"] },
        { "suspended", "Final", ErrorCode.StartFailed, Blame.Cluster, ["somebody suspended its application"] },
        { "pod-quota", "Final", ErrorCode.ResourceExhausted, Blame.Cluster, ["quota team-quota of namespace sjns-quota-control is used up (requested: requests.memory=1408Mi, used: requests.memory=0, limited: requests.memory=1Gi)", "For whoever manages the namespace: raise the quota", "For you: stop a session of the team"] },
        { "account-missing", "Final", ErrorCode.StartFailed, Blame.Cluster, ["service account nosuch is not in namespace sjns-data-control", "service_account in kubernetes.profiles[default]"] },
        { "rbac", "Final", ErrorCode.StartFailed, Blame.Cluster, ["the Spark operator lacks a right (User \"system:serviceaccount:spark-operator:spark-operator-controller\" cannot create resource \"pods\"", "For the team that runs the cluster: give the operator's service account that right"] },
        { "server-class", "Final", ErrorCode.StartFailed, Blame.Gateway, ["could not be submitted: org.apache.spark.SparkException: Cluster deploy mode is not applicable to Spark Connect server.", "correct kubernetes.profiles[default]"] },
        { "bad-setting", "Final", ErrorCode.StartFailed, Blame.Gateway, ["spark.driver.memoryOverheadFactor should be double, but was much"] },
    };

    [Theory]
    [MemberData(nameof(Troubles))]
    public void Look_RealTrouble_SaysWhatWhoAndWhatToDo(string sample, string trouble, ErrorCode code, Blame blame, string[] words)
    {
        var facts = Sample.Of(sample).Facts(hadPod: sample == "pod-deleted", log: "Boom");

        var finding = StartDiagnosis.Look(facts);

        Assert.Equal((trouble, code, blame), (finding.Trouble.ToString(), finding.Error!.Code, finding.Error.Blame));
        Assert.StartsWith($"The driver of Spark session {facts.Name} ", finding.Error.Text, StringComparison.Ordinal);
        Assert.All(words, word => Assert.Contains(word, finding.Error.Text, StringComparison.Ordinal));
        Assert.DoesNotContain("\tat ", finding.Error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("..", finding.Error.Text.Split('\n')[0], StringComparison.Ordinal);
        // A client shows the first and the last thousand characters: what to do stands in the first.
        Assert.InRange(finding.Error.Text.IndexOf('\n', StringComparison.Ordinal), 1, 1000);
    }

    [Theory]
    [InlineData("running", "runs, its driver does not answer yet")]
    [InlineData("sidecar", "runs, its driver does not answer yet")]
    [InlineData("connect-quota", "no Spark operator has taken up the application yet, or it may not make the pod")]
    public void Look_StillStarting_SaysHowFar(string sample, string progress)
    {
        var finding = StartDiagnosis.Look(Sample.Of(sample).Facts());

        Assert.Equal(StartTrouble.None, finding.Trouble);
        Assert.Null(finding.Error);
        Assert.Contains(progress, finding.Progress, StringComparison.Ordinal);
    }

    [Fact]
    public void Look_ApplicationDeleted_SaysSo()
    {
        var facts = Sample.Of("running").Facts();

        Assert.Contains("somebody deleted its application", StartDiagnosis.Look(facts with { Application = null }).Error!.Text, StringComparison.Ordinal);
        Assert.Contains("somebody deleted its application", StartDiagnosis.Look(facts with { Application = facts.Application! with { IsDeleting = true } }).Error!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Look_NodeLost_NamesTheNode()
    {
        var facts = Sample.Of("node-lost").Facts();
        var pod = facts.Pod! with { IsDeleting = true, Reason = "DeletionByTaintManager", Message = "Taint manager: deleting due to NoExecute taint" };

        var text = StartDiagnosis.Look(facts with { Pod = pod }).Error!.Text;

        Assert.Contains("its node node-1 went away (DeletionByTaintManager: Taint manager", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Look_PodVanished_FinalOnlyWhereNoOtherFollows()
    {
        var submitted = Sample.Of("running").Facts(hadPod: true) with { Pod = null };
        var rerun = submitted with { Application = submitted.Application! with { Phase = ApplicationPhase.Restarting } };
        var server = Sample.Of("connect-running").Facts(hadPod: true) with { Pod = null };

        Assert.Equal(StartTrouble.Final, StartDiagnosis.Look(submitted).Trouble);
        Assert.Equal(StartTrouble.None, StartDiagnosis.Look(submitted with { HadPod = false }).Trouble);
        Assert.Equal(StartTrouble.None, StartDiagnosis.Look(rerun).Trouble);
        Assert.Equal(StartTrouble.None, StartDiagnosis.Look(server).Trouble);
    }

    [Fact]
    public void Look_EndKnownFromTheOperatorOnly_SaysTheCode()
    {
        var facts = Sample.Of("oom").Facts(hadPod: true) with { Pod = null };

        Assert.Contains("OOMKilled, code 137", StartDiagnosis.Look(facts).Error!.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a Message: admission webhook \"policy.example\" denied the request: no latest tag. Received status: x", "was refused by a rule of the cluster: admission webhook \"policy.example\" denied the request: no latest tag")]
    [InlineData("a Message: pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true. Received status: x", "a rule of the cluster: pods \"x\" is forbidden: violates PodSecurity")]
    [InlineData("a Message: pods \"x\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 4Gi. Received status: x", "was refused by the cluster: pods \"x\" is forbidden: maximum memory")]
    [InlineData("failed to run spark-submit: driver pod already exist", "a pod of its name is still there")]
    [InlineData("Caused by: java.net.UnknownHostException: vault\n\tat x", "could not be submitted: java.net.UnknownHostException: vault")]
    [InlineData("jdbc:postgresql://u:hunter2@db/x is no path", "postgresql://***@db/x")]
    public void Look_OtherSubmissionFailures_SayTheTellingLine(string message, string expected)
    {
        var facts = Sample.Of("rbac").Facts();

        var text = StartDiagnosis.Look(facts with { Application = facts.Application! with { Message = message } }).Error!.Text;

        Assert.Contains(expected, text, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Look_WordsOfOthers_AreCutAndHarmless()
    {
        var facts = Sample.Of("unschedulable").Facts();
        var pod = facts.Pod! with { Unschedulable = "\u001b[31mred\n" + new string('x', 50_000) };

        var text = StartDiagnosis.Look(facts with { Pod = pod }).Error!.Text;

        Assert.Contains("?[31mred xxx", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', text);
        Assert.InRange(text.Length, 1, 2000);
    }
}
